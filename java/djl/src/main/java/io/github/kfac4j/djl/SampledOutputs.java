package io.github.kfac4j.djl;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.nn.Parameter;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.JniUtils;
import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.trainer.TrainingPass;
import java.util.List;

/** The model's output, and backward passes from it that leave the graph to the real loss. */
final class SampledOutputs implements TrainingPass.Outputs {
  private final Pass pass;
  private final NDArray output;
  private final HostTensor values;
  private final List<NDArray> trainable;
  private boolean again;

  /**
   * Opens the outputs of a pass; its parameters gather no gradients until they are closed.
   *
   * @throws IllegalArgumentException if there is more than one output
   */
  SampledOutputs(Pass pass, NDList outputs, List<Parameter> parameters) {
    if (outputs.size() != 1) {
      throw new IllegalArgumentException(
          "this Fisher needs a model with one output, but this one has " + outputs.size());
    }
    this.pass = pass;
    this.output = outputs.head();
    NDArray detached = output.stopGradient();
    detached.attach(pass.manager());
    this.values = new HostArray("output", "value", detached).tensor();
    // the parameters' own gradients may hold something: they must not take part
    this.trainable =
        parameters.stream().filter(Parameter::requiresGradient).map(pass::value).toList();
    trainable.forEach(value -> value.setRequiresGradient(false));
  }

  @Override
  public HostTensor values() {
    return values;
  }

  @Override
  public void backward(HostTensor gradient) {
    if (again) {
      pass.captures().forEach(Capture::reset);
    }
    again = true;
    try (NDArray from =
        pass.manager()
            .create(
                gradient.isDouble() ? gradient.doubles() : gradient.floats(),
                output.getShape(),
                output.getDataType())) {
      JniUtils.backward((PtNDArray) output, (PtNDArray) from, true, false);
    }
  }

  @Override
  public void close() {
    trainable.forEach(value -> value.setRequiresGradient(true));
    pass.captures().forEach(Capture::stop);
  }
}
