package io.github.kfac4j.samples;

import io.github.kfac4j.tensor.Tensor;
import java.util.function.UnaryOperator;

/**
 * Vectors across channels of an NCHW batch: data of shape {@code [examples, groups * dim,
 * positions]}, one vector for each example and position, its channels cut into equal groups.
 */
public record ChannelSamples(Tensor data, int examples, int positions, int groups, int dim)
    implements Samples {
  @Override
  public ChannelSamples map(UnaryOperator<Tensor> change, int count) {
    return new ChannelSamples(change.apply(data), count, positions, groups, dim);
  }
}
