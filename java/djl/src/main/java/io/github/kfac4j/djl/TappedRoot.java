package io.github.kfac4j.djl;

import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
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
  /** Is told of the model's parameters and of training passes. */
  interface Listener {
    /** The model's parameters have their shapes now. */
    void initialized();

    /** Runs a pass and returns its output. */
    NDList run(ParameterStore parameterStore, NDList inputs, Supplier<NDList> forward);
  }

  private final Listener listener;

  TappedRoot(Block original, Listener listener) {
    super(original);
    this.listener = listener;
  }

  @Override
  public void initialize(NDManager manager, DataType dataType, Shape... inputShapes) {
    super.initialize(manager, dataType, inputShapes);
    listener.initialized();
  }

  @Override
  public NDList forward(
      ParameterStore parameterStore,
      NDList inputs,
      boolean training,
      PairList<String, Object> params) {
    Supplier<NDList> forward = () -> original.forward(parameterStore, inputs, training, params);
    return training && JniUtils.isGradMode()
        ? listener.run(parameterStore, inputs, forward)
        : forward.get();
  }

  @Override
  public NDList forward(
      ParameterStore parameterStore, NDList data, NDList labels, PairList<String, Object> params) {
    Supplier<NDList> forward = () -> original.forward(parameterStore, data, labels, params);
    return JniUtils.isGradMode() ? listener.run(parameterStore, data, forward) : forward.get();
  }
}
