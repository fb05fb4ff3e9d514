package io.github.kfac4j.backend;

import io.github.kfac4j.tensor.Tensor;

/**
 * Vectors that lie as rows: data of shape {@code [examples, positions, groups * width]}, each row
 * cut into equal groups. With {@code bias}, a coordinate of value 1 follows each vector, so that
 * {@code dim = width + 1}.
 */
public record RowSamples(
    Tensor data, int examples, int positions, int groups, int width, boolean bias)
    implements Samples {
  @Override
  public int dim() {
    return bias ? width + 1 : width;
  }

  @Override
  public RowSamples with(Tensor other, int count) {
    return new RowSamples(other, count, positions, groups, width, bias);
  }
}
