package io.github.kfac4j.layer;

import io.github.kfac4j.backend.Gradient;
import io.github.kfac4j.tensor.Shape;
import io.github.kfac4j.tensor.Tensor;

/**
 * A trainable layer, as data: the shapes of its parameters, and how its inputs and output gradients
 * become the vectors whose second moments are the factors A and G.
 *
 * <p>The methods that take tensors throw {@link IllegalArgumentException} with the expected and the
 * actual shape if a tensor does not fit.
 */
public sealed interface Layer permits Dense, Conv2d {
  /** Independent groups, each with its own pair of factors; 1 except for grouped convolutions. */
  int groups();

  /** The dimension of A in each group, with the bias coordinate, which comes last. */
  int inputDim();

  /** The dimension of G in each group. */
  int outputDim();

  /** Whether the layer adds a bias. */
  boolean bias();

  /** The shape of the weight. */
  Shape weightShape();

  /** The shape of the bias, if there is one. */
  default Shape biasShape() {
    return Shape.of(groups() * outputDim());
  }

  /**
   * What one use of the layer contributes to its curvature.
   *
   * @param input the layer's input
   * @param outputGrad gradients with respect to the layer's output
   */
  Use use(Tensor input, Tensor outputGrad);

  /**
   * The gradient as {@code groups} matrices {@code [outputDim, inputDim]}: the trainer's own memory
   * where it lies so, else a copy.
   *
   * @param weight in {@link #weightShape}
   * @param bias in {@link #biasShape}, or null
   */
  default Gradient matrix(Tensor weight, Tensor bias) {
    return new Gradient(weight, bias);
  }

  /** Writes what {@link #matrix} gave, and what has become of it, back to where it came from. */
  default void store(Gradient matrix, Tensor weight, Tensor bias) {}
}
