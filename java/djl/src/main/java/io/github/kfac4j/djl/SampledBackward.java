package io.github.kfac4j.djl;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.nn.Parameter;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.JniUtils;
import java.util.List;

/** The extra backward pass of the Monte-Carlo Fisher, between the forward pass and the real one. */
final class SampledBackward {
  private final LabelSampler sampler;
  private final List<Parameter> parameters;

  /**
   * A backward pass for drawn labels.
   *
   * @param seed of the labels
   * @param parameters of the model
   */
  SampledBackward(long seed, List<Parameter> parameters) {
    this.sampler = new LabelSampler(seed);
    this.parameters = parameters;
  }

  /** Leaves output gradients for drawn labels in the pass; the graph stays for the real loss. */
  void run(Pass pass, NDList outputs, long step) {
    if (outputs.size() != 1) {
      throw new IllegalArgumentException(
          "the Monte-Carlo Fisher needs a model with one output, but this one has "
              + outputs.size());
    }
    NDArray logits = outputs.head();
    NDArray gradient = sampler.logitGradient(logits, step, pass.manager());
    // the parameters' own gradients may hold something: they must not take part
    List<NDArray> values =
        parameters.stream().filter(Parameter::requiresGradient).map(pass::value).toList();
    values.forEach(value -> value.setRequiresGradient(false));
    try {
      JniUtils.backward((PtNDArray) logits, (PtNDArray) gradient, true, false);
    } finally {
      values.forEach(value -> value.setRequiresGradient(true));
    }
  }
}
