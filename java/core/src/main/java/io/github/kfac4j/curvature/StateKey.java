package io.github.kfac4j.curvature;

import java.util.Set;

/**
 * Which of a layer's stacks of matrices it is. Curvatures have a constant for each that they keep;
 * nothing else looks stacks up.
 *
 * @param name in saved states and messages
 */
public record StateKey(String name) {
  /** Names of other tensors that are saved of a layer. */
  private static final Set<String> RESERVED =
      Set.of(StateIdentity.NAME, StateTensors.COUNTERS, StateTensors.EXPONENTS);

  /** Checks the name. */
  public StateKey {
    if (RESERVED.contains(name)) {
      throw new IllegalArgumentException("saved states have another '" + name + "' of each layer");
    }
  }

  /** The key of something that belongs to this. */
  StateKey with(String suffix) {
    return new StateKey(name + suffix);
  }

  @Override
  public String toString() {
    return name;
  }
}
