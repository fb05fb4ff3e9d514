package io.github.kfac4j.benchmarks.cases;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** {@code count} matrices of {@code n x n}, or all factors of a network, each damped. */
public record InverseCase(
    String verb,
    String name,
    String set,
    String backend,
    Map<String, Double> targets,
    List<String> without,
    int count,
    int n,
    String network)
    implements Case {
  /**
   * On the diagonals; with less, determinants leave the range of fp32, which ND4J takes for
   * singular.
   */
  public static final double DAMPING = 1;

  /** The size of each matrix. */
  public List<Integer> sizes() {
    List<Integer> sizes = new ArrayList<>();
    if (network == null) {
      for (int k = 0; k < count; k++) {
        sizes.add(n);
      }
      return sizes;
    }
    for (LayerShape layer : Cases.network(network)) {
      sizes.add(layer.toLayer().inputDim());
      sizes.add(layer.toLayer().outputDim());
    }
    return sizes;
  }
}
