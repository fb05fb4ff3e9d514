package io.github.kfac4j.dl4j;

import io.github.kfac4j.data.Observation;
import io.github.kfac4j.trainer.TrainingPass;
import java.util.List;

/** A forward and backward pass of {@code fit}, and the layers that are listened to in it. */
final class Pass implements TrainingPass {
  private final int examples;
  private final List<Tap> taps;

  /** Begins to listen, until it is closed or a layer fails: the network is as it was then. */
  Pass(int examples, List<Tap> taps) {
    this.examples = examples;
    this.taps = taps;
    taps.forEach(tap -> tap.listen(this::close));
  }

  @Override
  public int examples() {
    return examples;
  }

  @Override
  public boolean captured() {
    return !taps.isEmpty();
  }

  /** None: inputs are taken in the backward pass, together with the gradients. */
  @Override
  public List<Observation> inputs() {
    return List.of();
  }

  @Override
  public List<Observation> observations(double outputGradScale) {
    return taps.stream()
        .filter(Tap::heard)
        .map(tap -> tap.observation(outputGradScale, examples))
        .toList();
  }

  /** The backward pass is over when K-FAC asks: those whose layers it did not reach are frozen. */
  @Override
  public boolean expectsGradients() {
    return hasGradients();
  }

  @Override
  public boolean hasGradients() {
    return taps.stream().anyMatch(Tap::heard);
  }

  @Override
  public void close() {
    taps.forEach(Tap::stop);
  }
}
