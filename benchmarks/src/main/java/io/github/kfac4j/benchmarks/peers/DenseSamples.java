package io.github.kfac4j.benchmarks.peers;

import io.github.kfac4j.benchmarks.cases.DenseCase;
import io.github.kfac4j.benchmarks.cases.Inputs;

/** The vectors of a dense layer's factor. */
final class DenseSamples {
  private DenseSamples() {}

  /** [rows, dim], the bias coordinate in the last column. */
  static float[] of(DenseCase c, long seed) {
    float[] data = new Inputs(seed).uniform(0, c.rows() * c.width());
    if (!c.bias()) {
      return data;
    }
    float[] rows = new float[c.rows() * c.dim()];
    for (int n = 0; n < c.rows(); n++) {
      System.arraycopy(data, n * c.width(), rows, n * c.dim(), c.width());
      rows[n * c.dim() + c.width()] = 1;
    }
    return rows;
  }
}
