package io.github.kfac4j.benchmarks.peers;

import io.github.kfac4j.benchmarks.cases.Inputs;
import io.github.kfac4j.benchmarks.cases.InverseCase;
import java.util.ArrayList;
import java.util.List;

/** The matrices to invert, with the damping added already. */
final class Damped {
  private Damped() {}

  /** The first matrices of a case. */
  static List<float[]> matrices(InverseCase c, int count, long seed) {
    List<float[]> matrices = new ArrayList<>();
    Inputs inputs = new Inputs(seed);
    for (int k = 0; k < count; k++) {
      int n = c.sizes().get(k);
      float[] matrix = inputs.factor(k, n);
      for (int i = 0; i < n; i++) {
        matrix[i * n + i] += (float) InverseCase.DAMPING;
      }
      matrices.add(matrix);
    }
    return matrices;
  }
}
