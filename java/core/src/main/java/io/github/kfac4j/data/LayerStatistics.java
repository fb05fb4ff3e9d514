package io.github.kfac4j.data;

import java.util.Map;

/**
 * Second moments of what one layer saw in a batch or in a shard of it: undamped, not averaged with
 * earlier batches.
 *
 * @param examples that were seen; 0 if the layer was not used, and then the moments are zeros. With
 *     micro-batches the mean over them
 * @param positions of each example
 * @param moments by name, such as {@code A} and {@code G}, each {@code [groups, rows, cols]}
 */
public record LayerStatistics(double examples, int positions, Map<String, double[]> moments) {}
