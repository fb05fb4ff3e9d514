package io.github.kfac4j.dl4j;

import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.shade.jackson.databind.annotation.JsonSerialize;

/** The activation function of a hidden layer, whose backward pass yields the gradient before it. */
@JsonSerialize(using = Tapped.AsDelegate.class)
final class TappedActivation implements IActivation, Tapped {
  private static final long serialVersionUID = 1L;

  private final IActivation delegate;
  private final transient Ear.Listener listener;

  /**
   * Stands for an activation function.
   *
   * @param listener hears the gradients
   */
  TappedActivation(IActivation delegate, Ear.Listener listener) {
    this.delegate = delegate;
    this.listener = listener;
  }

  @Override
  public IActivation delegate() {
    return delegate;
  }

  @Override
  public INDArray getActivation(INDArray in, boolean training) {
    return listener.guard(
        () -> {
          INDArray output = delegate.getActivation(in, training);
          listener.activated(output);
          return output;
        });
  }

  @Override
  public Pair<INDArray, INDArray> backprop(INDArray in, INDArray epsilon) {
    return listener.guard(
        () -> {
          Pair<INDArray, INDArray> gradients = delegate.backprop(in, epsilon);
          listener.hear(gradients.getFirst());
          return gradients;
        });
  }

  @Override
  public int numParams(int inputSize) {
    return delegate.numParams(inputSize);
  }

  /** Deeplearning4j's native helpers go by the name. */
  @Override
  public String toString() {
    return delegate.toString();
  }

  private Object writeReplace() {
    return delegate instanceof TappedActivation inner ? inner.writeReplace() : delegate;
  }
}
