package io.github.kfac4j.layer;

import io.github.kfac4j.backend.Samples;
import io.github.kfac4j.tensor.Shape;
import io.github.kfac4j.tensor.Tensor;

/**
 * A trainable layer, as data: the shape of its weight and how its inputs and output gradients
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

  /** Whether the layer adds a bias of shape {@code [groups * outputDim]}. */
  boolean bias();

  /** The shape of the weight; in memory it is {@code [groups * outputDim, inputDim - bias]}. */
  Shape weightShape();

  /** The vectors of A in a batch of inputs. */
  Samples inputs(Tensor input);

  /** The vectors of G in a batch of gradients of the loss with respect to the layer's output. */
  Samples outputGrads(Tensor outputGrad);
}
