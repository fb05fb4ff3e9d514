package io.github.kfac4j.distributed.sharing;

import io.github.kfac4j.layer.Layer;
import java.util.List;
import java.util.Map;
import java.util.function.IntToDoubleFunction;

/**
 * What the inversions of one layer cost.
 *
 * @param layer the layer's name
 * @param cost in any unit, the same for all layers, not negative
 */
public record LayerCost(String layer, double cost) {
  /** Checks the cost. */
  public LayerCost {
    if (!(cost >= 0) || Double.isInfinite(cost)) {
      throw new IllegalArgumentException(
          "layer '%s': cost must be finite and not negative but is %s".formatted(layer, cost));
    }
  }

  /** Costs that grow as n^3 with the dimension of each factor. */
  public static List<LayerCost> cubic(Map<String, ? extends Layer> layers) {
    return of(layers, n -> (double) n * n * n);
  }

  /**
   * Costs from a measurement. The n numbers of a diagonal A count as a matrix with as many
   * operations, of dimension n^(1/3).
   *
   * @param inverse what the inversion of one matrix of the given dimension costs
   */
  public static List<LayerCost> of(
      Map<String, ? extends Layer> layers, IntToDoubleFunction inverse) {
    return layers.entrySet().stream()
        .map(
            entry -> {
              Layer layer = entry.getValue();
              double one =
                  inverse.applyAsDouble(inputInversion(layer))
                      + inverse.applyAsDouble(layer.outputDim());
              return new LayerCost(entry.getKey(), layer.groups() * one);
            })
        .toList();
  }

  /** The matrix whose inversion costs about as much as that of A. */
  private static int inputInversion(Layer layer) {
    int n = layer.inputDim();
    return layer.diagonalInput() ? (int) Math.ceil(Math.cbrt(n)) : n;
  }
}
