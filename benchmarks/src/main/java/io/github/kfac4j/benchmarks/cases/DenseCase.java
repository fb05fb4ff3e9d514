package io.github.kfac4j.benchmarks.cases;

import java.util.List;
import java.util.Map;

/** Vectors [rows, width]. */
public record DenseCase(
    String verb,
    String name,
    String set,
    String backend,
    Map<String, Double> targets,
    List<String> without,
    int rows,
    int width,
    boolean bias)
    implements Case {

  /** The dimension of a vector with its bias coordinate. */
  public int dim() {
    return width + (bias ? 1 : 0);
  }
}
