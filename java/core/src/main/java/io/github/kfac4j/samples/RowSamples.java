package io.github.kfac4j.samples;

import io.github.kfac4j.tensor.Tensor;
import java.util.function.UnaryOperator;

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
  public RowSamples map(UnaryOperator<Tensor> change, int count) {
    return new RowSamples(change.apply(data), count, positions, groups, width, bias);
  }
}
