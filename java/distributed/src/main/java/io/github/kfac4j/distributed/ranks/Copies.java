package io.github.kfac4j.distributed.ranks;

import io.github.kfac4j.data.Observation;
import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.tensor.Tensor;
import java.util.Arrays;

/** Copies of what is only lent for a call. */
public final class Copies {
  private Copies() {}

  public static Observation of(Observation observation) {
    return new Observation(
        observation.layer(),
        copy(observation, observation.input()),
        copy(observation, observation.outputGrad()),
        observation.outputGradScale(),
        observation.examples());
  }

  private static HostTensor copy(Observation observation, Tensor tensor) {
    if (!(tensor instanceof HostTensor host)) {
      throw new IllegalArgumentException(
          "layer '%s': only tensors in host memory can be handed to a worker"
              .formatted(observation.layer()));
    }
    int[] shape = new int[host.shape().rank()];
    Arrays.setAll(shape, host.shape()::get);
    HostTensor copy = HostTensor.like(host, shape);
    double[] values = host.toArray();
    copy.write(0, values, 0, values.length);
    return copy;
  }
}
