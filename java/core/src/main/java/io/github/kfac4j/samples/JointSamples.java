package io.github.kfac4j.samples;

import io.github.kfac4j.tensor.Tensor;
import java.util.List;
import java.util.function.UnaryOperator;

/**
 * What a layer saw that was used several times in a pass, as samples of the same examples: the
 * positions of an example are those of all parts in turn.
 *
 * @param parts at least one; all with the same examples, groups and dimension
 */
public record JointSamples(List<Samples> parts) implements Samples {
  /** Copies the list. */
  public JointSamples {
    parts = List.copyOf(parts);
  }

  /**
   * There is no single tensor.
   *
   * @throws UnsupportedOperationException always, so that a backend that does not know of joint
   *     samples leaves them to one that does
   */
  @Override
  public Tensor data() {
    throw new UnsupportedOperationException("several uses of a layer taken together");
  }

  @Override
  public int groups() {
    return parts.get(0).groups();
  }

  @Override
  public int dim() {
    return parts.get(0).dim();
  }

  @Override
  public int examples() {
    return parts.get(0).examples();
  }

  @Override
  public int positions() {
    return parts.stream().mapToInt(Samples::positions).sum();
  }

  @Override
  public JointSamples map(UnaryOperator<Tensor> change, int count) {
    return new JointSamples(parts.stream().map(part -> part.map(change, count)).toList());
  }
}
