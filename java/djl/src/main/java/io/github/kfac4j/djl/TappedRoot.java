package io.github.kfac4j.djl;

import ai.djl.ndarray.NDList;
import ai.djl.nn.Block;
import ai.djl.pytorch.jni.JniUtils;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;
import java.util.function.Supplier;

/**
 * Takes the place of a model's block and leaves everything to it; only tells where training passes
 * begin and end. Passes outside of a gradient collector lead to no gradient and are none.
 */
final class TappedRoot extends DelegatingBlock {
  /** Hears of training passes. */
  interface Passes {
    /** Runs a pass and returns its output. */
    NDList run(ParameterStore parameterStore, NDList inputs, Supplier<NDList> forward);
  }

  private final Passes passes;

  TappedRoot(Block original, Passes passes) {
    super(original);
    this.passes = passes;
  }

  @Override
  public NDList forward(
      ParameterStore parameterStore,
      NDList inputs,
      boolean training,
      PairList<String, Object> params) {
    Supplier<NDList> forward = () -> original.forward(parameterStore, inputs, training, params);
    return training && JniUtils.isGradMode()
        ? passes.run(parameterStore, inputs, forward)
        : forward.get();
  }

  @Override
  public NDList forward(
      ParameterStore parameterStore, NDList data, NDList labels, PairList<String, Object> params) {
    Supplier<NDList> forward = () -> original.forward(parameterStore, data, labels, params);
    return JniUtils.isGradMode() ? passes.run(parameterStore, data, forward) : forward.get();
  }
}
