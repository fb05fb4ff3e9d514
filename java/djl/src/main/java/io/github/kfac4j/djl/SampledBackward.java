package io.github.kfac4j.djl;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.nn.Parameter;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.JniUtils;
import io.github.kfac4j.fisher.Fisher;
import io.github.kfac4j.tensor.HostTensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;

/** The extra backward passes of a Fisher, between the forward pass and the real one. */
final class SampledBackward {
  private final Fisher fisher;
  private final List<Parameter> parameters;

  /**
   * Backward passes for a Fisher that is not the empirical one.
   *
   * @param parameters of the model
   */
  SampledBackward(Fisher fisher, List<Parameter> parameters) {
    this.fisher = fisher;
    this.parameters = parameters;
  }

  /** Hears of each pass, whose output gradients are in the captures by then. */
  @FunctionalInterface
  interface Observer {
    /**
     * One of {@code count} passes, from 0 on; output gradients times {@code scale} are of the
     * summed loss.
     */
    void observe(double scale, int pass, int count);
  }

  /** Runs all passes; the graph stays for the real loss. */
  void run(Pass pass, NDList outputs, long step, Observer observer) {
    if (outputs.size() != 1) {
      throw new IllegalArgumentException(
          "this Fisher needs a model with one output, but this one has " + outputs.size());
    }
    NDArray output = outputs.head();
    NDArray detached = output.stopGradient();
    detached.attach(pass.manager());
    HostTensor values = new HostArray("output", "value", detached).tensor();
    int count = fisher.passes(values.shape());
    // the parameters' own gradients may hold something: they must not take part
    List<NDArray> trainable =
        parameters.stream().filter(Parameter::requiresGradient).map(pass::value).toList();
    trainable.forEach(value -> value.setRequiresGradient(false));
    try {
      for (int k = 0; k < count; k++) {
        if (k > 0) {
          pass.captures().forEach(Capture::reset);
        }
        try (NDArray gradient = gradient(pass, detached, values, step, k)) {
          JniUtils.backward((PtNDArray) output, (PtNDArray) gradient, true, false);
        }
        observer.observe(Math.sqrt(count), k, count);
      }
    } finally {
      trainable.forEach(value -> value.setRequiresGradient(true));
    }
  }

  private NDArray gradient(Pass pass, NDArray output, HostTensor values, long step, int k) {
    int size = values.size();
    ByteBuffer bytes =
        ByteBuffer.allocateDirect(
                Math.multiplyExact(size, values.isDouble() ? Double.BYTES : Float.BYTES))
            .order(ByteOrder.nativeOrder());
    int[] shape = new int[values.shape().rank()];
    for (int i = 0; i < shape.length; i++) {
      shape[i] = values.shape().get(i);
    }
    HostTensor result =
        values.isDouble()
            ? HostTensor.of(bytes.asDoubleBuffer(), shape)
            : HostTensor.of(bytes.asFloatBuffer(), shape);
    fisher.outputGradient(values, step, k, result);
    return pass.manager().create(bytes, output.getShape(), output.getDataType());
  }
}
