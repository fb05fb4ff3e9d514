package io.github.kfac4j.djl;

import ai.djl.ndarray.NDArray;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.JniUtils;
import ai.djl.training.optimizer.Optimizer;

/** An optimizer for a trainer whose parameters another one updates: it only clears gradients. */
final class Placeholder extends Optimizer {
  private boolean asked;

  Placeholder() {
    super(new Builder());
  }

  /** Whether the trainer has asked for an update since the last call. */
  boolean asked() {
    boolean was = asked;
    asked = false;
    return was;
  }

  @Override
  public void update(String parameterId, NDArray weight, NDArray grad) {
    asked = true;
    JniUtils.zeroGrad((PtNDArray) weight); // the gradient that is given is a copy
  }

  private static final class Builder extends OptimizerBuilder<Builder> {
    @Override
    protected Builder self() {
      return this;
    }
  }
}
