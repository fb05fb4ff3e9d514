package io.github.kfac4j.data;

import io.github.kfac4j.layer.Layer;
import java.util.Map;

/**
 * Second moments of what one layer saw in a batch or in a shard of it: undamped, not averaged with
 * earlier batches.
 *
 * @param examples that were seen; 0 if the layer was not used, and then the moments are zeros. With
 *     micro-batches the mean over them
 * @param positions of each example
 * @param moments by name: {@code A}, {@code G} or {@code moments}, each {@code [groups, rows,
 *     cols]}
 */
public record LayerStatistics(double examples, int positions, Map<String, double[]> moments) {
  /**
   * The dimension of the symmetric matrices of a moment of a layer; 0 if they are not symmetric.
   */
  public int symmetricDim(Layer layer, String moment) {
    int n = moment.equals(Moments.G) ? layer.outputDim() : layer.inputDim();
    boolean square = moments.get(moment).length == layer.groups() * n * n;
    return square && !moment.equals(Moments.IN_BASIS) ? n : 0;
  }
}
