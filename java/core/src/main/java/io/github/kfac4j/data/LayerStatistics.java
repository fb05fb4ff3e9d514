package io.github.kfac4j.data;

import java.util.List;

/**
 * Second moments of what one layer saw in a batch or in a shard of it: undamped, not averaged with
 * earlier batches.
 *
 * @param examples that were seen; 0 if the layer was not used, and then the moments are zeros. With
 *     micro-batches the mean over them
 * @param positions of each example
 * @param moments all that the layer's curvature averages; those of inputs come first
 */
public record LayerStatistics(double examples, int positions, List<Moment> moments) {
  /** Takes a copy of the list. */
  public LayerStatistics {
    moments = List.copyOf(moments);
  }

  /**
   * One of the moments.
   *
   * @param name such as {@code A} or {@code G}
   * @param ofGradients whether output gradients are in it
   * @param symmetricDim the dimension of its matrices if they are symmetric, else 0
   * @param elements {@code [groups, rows, cols]}
   */
  public record Moment(String name, boolean ofGradients, int symmetricDim, double[] elements) {
    /** The same moment of something else. */
    public Moment with(double[] others) {
      return new Moment(name, ofGradients, symmetricDim, others);
    }
  }
}
