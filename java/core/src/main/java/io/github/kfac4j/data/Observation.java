package io.github.kfac4j.data;

import io.github.kfac4j.tensor.Shape;
import io.github.kfac4j.tensor.Tensor;
import java.util.Objects;

/**
 * What a layer saw in one batch. The tensors are read during the call and not kept.
 *
 * <p>{@link #ofMeanLoss} and {@link #ofSumLoss} make it for the two usual losses; any other scale,
 * such as that of a loss in half precision, is given to the constructor.
 *
 * <p>The number of examples N is that of the pass, the same for all of its layers, and cannot be
 * read off a layer's own tensors: {@code [N, T, D]}, {@code [T, N, D]} and {@code [N T, D]} are the
 * same rows, of T = rows / N positions each. Where it matters which rows belong to one example (a
 * diagonal or EKFAC block, {@link io.github.kfac4j.layer.WeightSharing#REDUCE}, a {@link
 * io.github.kfac4j.layer.ScaleShift}, {@code KfacOptions.maxExamples}), the examples are the first
 * dimension that has N entries; features last, it may be any other dimension, else it must be the
 * first one. A shape that has none is refused there.
 *
 * @param layer the layer's name
 * @param input the layer's input
 * @param outputGrad gradients with respect to the layer's output, before the activation function
 * @param outputGradScale what {@code outputGrad} must be multiplied by to become per-example
 *     gradients of the <em>summed</em> loss: 1 if it already is, N if the loss was a batch mean
 * @param examples N of the pass
 */
public record Observation(
    String layer, Tensor input, Tensor outputGrad, double outputGradScale, int examples) {
  /**
   * Checks the values.
   *
   * @throws IllegalArgumentException if the scale is not positive and finite, or the number of
   *     examples is not positive
   */
  public Observation {
    Objects.requireNonNull(layer, "layer");
    Objects.requireNonNull(input, "input");
    Objects.requireNonNull(outputGrad, "outputGrad");
    if (!(outputGradScale > 0) || Double.isInfinite(outputGradScale)) {
      throw new IllegalArgumentException(
          "layer '%s': output gradient scale must be positive but is %s"
              .formatted(layer, outputGradScale));
    }
    if (examples <= 0) {
      throw new IllegalArgumentException(
          "layer '%s': examples must be positive but are %d".formatted(layer, examples));
    }
  }

  /**
   * What a layer saw where the loss is a mean over the batch, as those of most trainers are: the
   * output gradients are times N.
   *
   * @param examples N of the pass
   */
  public static Observation ofMeanLoss(
      String layer, Tensor input, Tensor outputGrad, int examples) {
    return new Observation(layer, input, outputGrad, examples, examples);
  }

  /** The same for as many examples as the first dimension of the input has entries. */
  public static Observation ofMeanLoss(String layer, Tensor input, Tensor outputGrad) {
    return ofMeanLoss(layer, input, outputGrad, firstDimension(input));
  }

  /**
   * What a layer saw where the loss is a sum over the batch.
   *
   * @param examples N of the pass
   */
  public static Observation ofSumLoss(String layer, Tensor input, Tensor outputGrad, int examples) {
    return new Observation(layer, input, outputGrad, 1, examples);
  }

  /** The same for as many examples as the first dimension of the input has entries. */
  public static Observation ofSumLoss(String layer, Tensor input, Tensor outputGrad) {
    return ofSumLoss(layer, input, outputGrad, firstDimension(input));
  }

  /** An observation of as many examples as the first dimension of the input has entries. */
  public Observation(String layer, Tensor input, Tensor outputGrad, double outputGradScale) {
    this(layer, input, outputGrad, outputGradScale, firstDimension(input));
  }

  /** An empty or scalar input is for the layer to refuse, which knows what it expects. */
  private static int firstDimension(Tensor input) {
    return input.shape().rank() == 0 ? 1 : Math.max(1, input.shape().get(0));
  }

  /**
   * What a layer saw before the backward pass: the input alone.
   *
   * @param outputShape of the layer's output
   */
  public static Observation ofInput(String layer, Tensor input, Shape outputShape) {
    return ofInput(layer, input, outputShape, firstDimension(input));
  }

  /**
   * What a layer saw before the backward pass: the input alone.
   *
   * @param outputShape of the layer's output
   * @param examples N of the pass
   */
  public static Observation ofInput(String layer, Tensor input, Shape outputShape, int examples) {
    return new Observation(layer, input, new ToCome(outputShape), 1, examples);
  }

  /** In the place of gradients that are not there yet. */
  record ToCome(Shape shape) implements Tensor {}

  /** The same pass through other views of the tensors. */
  Observation with(Tensor otherInput, Tensor otherOutputGrad, int otherExamples) {
    return new Observation(layer, otherInput, otherOutputGrad, outputGradScale, otherExamples);
  }
}
