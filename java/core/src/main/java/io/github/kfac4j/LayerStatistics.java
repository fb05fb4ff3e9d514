package io.github.kfac4j;

import java.util.Map;

/**
 * Second moments of what one layer saw in a batch or in a shard of it: undamped, not averaged with
 * earlier batches.
 *
 * @param examples that were seen; 0 if the layer was not used, and then the moments are zeros. With
 *     micro-batches the mean over them
 * @param positions of each example
 * @param moments by name, each {@code [groups, rows, cols]}; {@code A} and {@code G} are symmetric
 */
public record LayerStatistics(double examples, int positions, Map<String, double[]> moments) {
  /** Whether the matrices of a moment are symmetric. */
  public static boolean symmetric(String moment) {
    return moment.equals(Factors.A) || moment.equals(Factors.G);
  }

  /** What a moment is multiplied by before it is added to those of the other shards of a batch. */
  public static double weight(
      Convention convention, String moment, double examples, double totalExamples) {
    return convention.shardWeight(moment.equals(Factors.G), examples, totalExamples);
  }
}
