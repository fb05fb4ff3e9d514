package io.github.kfac4j.dl4j;

import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.lossfunctions.ILossFunction;
import org.nd4j.shade.jackson.databind.annotation.JsonSerialize;

/**
 * The loss of an output layer, which computes the gradient before the activation function; the
 * activation function itself stays what losses look at, such as softmax.
 */
@JsonSerialize(using = Tapped.AsDelegate.class)
final class TappedLoss implements ILossFunction, Tapped {
  private static final long serialVersionUID = 1L;

  private final ILossFunction delegate;
  private final transient Ear.Listener listener;

  /**
   * Stands for a loss.
   *
   * @param listener hears the gradients
   */
  TappedLoss(ILossFunction delegate, Ear.Listener listener) {
    this.delegate = delegate;
    this.listener = listener;
  }

  @Override
  public ILossFunction delegate() {
    return delegate;
  }

  @Override
  public double computeScore(
      INDArray labels, INDArray preOutput, IActivation activation, INDArray mask, boolean average) {
    return listener.guard(
        () -> delegate.computeScore(labels, preOutput, activation, mask, average));
  }

  @Override
  public INDArray computeScoreArray(
      INDArray labels, INDArray preOutput, IActivation activation, INDArray mask) {
    return delegate.computeScoreArray(labels, preOutput, activation, mask);
  }

  @Override
  public INDArray computeGradient(
      INDArray labels, INDArray preOutput, IActivation activation, INDArray mask) {
    return listener.guard(
        () -> {
          INDArray gradient = delegate.computeGradient(labels, preOutput, activation, mask);
          listener.hear(gradient);
          return gradient;
        });
  }

  @Override
  public Pair<Double, INDArray> computeGradientAndScore(
      INDArray labels, INDArray preOutput, IActivation activation, INDArray mask, boolean average) {
    return delegate.computeGradientAndScore(labels, preOutput, activation, mask, average);
  }

  @Override
  public String name() {
    return delegate.name();
  }

  @Override
  public String toString() {
    return delegate.toString();
  }

  private Object writeReplace() {
    return delegate;
  }
}
