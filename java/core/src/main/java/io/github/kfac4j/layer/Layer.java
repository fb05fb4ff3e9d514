package io.github.kfac4j.layer;

import io.github.kfac4j.backend.Gradient;
import io.github.kfac4j.tensor.Shape;
import io.github.kfac4j.tensor.Tensor;
import java.util.List;

/**
 * A trainable layer, as data: the shapes of its parameters, and how its inputs and output gradients
 * become the vectors whose second moments are the factors A and G.
 *
 * <p>The methods that take tensors throw {@link IllegalArgumentException} with the expected and the
 * actual shape if a tensor does not fit.
 */
public sealed interface Layer
    permits Dense, FlattenedDense, Conv1d, Conv2d, ConvTranspose2d, ScaleShift, Embedding {
  /** Independent groups, each with its own pair of factors. */
  default int groups() {
    return 1;
  }

  /** The dimension of A in each group, with the bias coordinate, which comes last. */
  int inputDim();

  /** The dimension of G in each group. */
  int outputDim();

  /** Whether the layer adds a bias. */
  boolean bias();

  /** Whether A is the constant 1, so that G alone is the block and is damped alone. */
  default boolean constantInput() {
    return false;
  }

  /** Whether A is diagonal, and kept as its diagonal of length {@link #inputDim}. */
  default boolean diagonalInput() {
    return false;
  }

  /** Whether inputs may be whole numbers that pick rows of the weight. */
  default boolean takesTokens() {
    return false;
  }

  /**
   * What it is that some libraries of K-FAC do not have, in words; null if it is a plain dense
   * layer or 2-d convolution, which all of them have.
   */
  default String speciality() {
    return getClass().getSimpleName();
  }

  /** Whether tensors hold features in their last dimension and any places in the others. */
  default boolean featuresLast() {
    return false;
  }

  /** Whether {@link #use} itself needs the rows of one example together, examples first. */
  default boolean groupsByExample() {
    return false;
  }

  /** Whether {@link #use} reads the vectors a off an input whose output gradient is yet to come. */
  default boolean readsInputAlone() {
    return false;
  }

  /** Whether inputs are taken as they lie in the memory of a device, and not rearranged before. */
  default boolean readsOnDevice() {
    return false;
  }

  /** The same of gradients at the output. */
  default boolean readsOnDevice(Shape outputGrad) {
    return readsOnDevice();
  }

  /** Whether gradients of the parameters are taken, and rewritten, where they lie on a device. */
  default boolean rewritesOnDevice() {
    return readsOnDevice();
  }

  /** What the damping is multiplied by for this layer. */
  default double dampingScale() {
    return 1;
  }

  /** The shape of the weight. */
  Shape weightShape();

  /** The shape of the bias, if there is one. */
  default Shape biasShape() {
    return Shape.of(groups() * outputDim());
  }

  /**
   * What one use of the layer contributes to its curvature, with as many examples as the tensors'
   * first dimension has entries, unless {@link Use#of} is told another number.
   *
   * @param input the layer's input
   * @param outputGrad gradients with respect to the layer's output
   */
  Use use(Tensor input, Tensor outputGrad);

  /** The uses of one pass as they enter the curvature; most layers take each by itself. */
  default List<Use> join(List<Use> uses) {
    return uses;
  }

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
