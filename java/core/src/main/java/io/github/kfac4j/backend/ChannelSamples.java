package io.github.kfac4j.backend;

import io.github.kfac4j.tensor.Tensor;

/**
 * Vectors across channels of an NCHW batch: data of shape {@code [examples, groups * dim,
 * positions]}, one vector for each example and position, its channels cut into equal groups.
 */
public record ChannelSamples(Tensor data, int examples, int positions, int groups, int dim)
    implements Samples {
  @Override
  public ChannelSamples with(Tensor other, int count) {
    return new ChannelSamples(other, count, positions, groups, dim);
  }
}
