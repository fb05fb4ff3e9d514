package io.github.kfac4j.trainer;

import io.github.kfac4j.fisher.Fisher;
import io.github.kfac4j.tensor.HostTensor;
import java.util.Arrays;

/** The extra backward passes of a Fisher, between the forward pass and the real one. */
final class SampledPasses {
  private final Fisher fisher;

  /** Backward passes for a Fisher that is not the empirical one. */
  SampledPasses(Fisher fisher) {
    this.fisher = fisher;
  }

  /** Is told of each pass, whose output gradients have been captured by then. */
  @FunctionalInterface
  interface Observer {
    /**
     * One of {@code count} passes, from 0 on; output gradients times {@code scale} are of the
     * summed loss.
     */
    void observe(double scale, int pass, int count);
  }

  /** Runs all passes of a step. */
  void run(TrainingPass.Outputs outputs, long step, Observer observer) {
    HostTensor values = outputs.values();
    int[] shape = new int[values.shape().rank()];
    Arrays.setAll(shape, values.shape()::get);
    int count = fisher.passes(values.shape());
    for (int k = 0; k < count; k++) {
      HostTensor gradient = HostTensor.like(values, shape);
      fisher.outputGradient(values, step, k, gradient);
      outputs.backward(gradient);
      observer.observe(Math.sqrt(count), k, count);
    }
  }
}
