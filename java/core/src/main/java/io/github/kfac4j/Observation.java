package io.github.kfac4j;

import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.tensor.Shape;
import io.github.kfac4j.tensor.Tensor;
import java.util.Objects;

/**
 * What a layer saw in one batch. The tensors are read during the call and not kept.
 *
 * @param layer the layer's name
 * @param input the layer's input
 * @param outputGrad gradients with respect to the layer's output, before the activation function
 * @param outputGradScale what {@code outputGrad} must be multiplied by to become per-example
 *     gradients of the <em>summed</em> loss: 1 if it already is, N if the loss was a batch mean
 */
public record Observation(String layer, Tensor input, Tensor outputGrad, double outputGradScale) {
  /**
   * Checks the values.
   *
   * @throws IllegalArgumentException if the scale is not positive and finite
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
  }

  /**
   * What a layer saw before the backward pass: the input alone.
   *
   * @param outputShape of the layer's output
   */
  public static Observation ofInput(String layer, Tensor input, Shape outputShape) {
    return new Observation(layer, input, new ToCome(outputShape), 1);
  }

  /** In the place of gradients that are not there yet. */
  private record ToCome(Shape shape) implements Tensor {}

  /** The examples of the batch: the first dimension of the input. */
  int examples() {
    return input.shape().get(0);
  }

  /**
   * The first {@code count} examples of this batch, which it may not have; a view.
   *
   * @throws IllegalArgumentException if a tensor to be cut is not in host memory
   */
  public Observation leading(int count) {
    return new Observation(
        layer, leading(input, count), leading(outputGrad, count), outputGradScale);
  }

  private Tensor leading(Tensor tensor, int count) {
    if (tensor.shape().rank() == 0 || tensor.shape().get(0) <= count) {
      return tensor;
    }
    if (tensor instanceof ToCome) {
      int[] extents = new int[tensor.shape().rank()];
      for (int i = 0; i < extents.length; i++) {
        extents[i] = i == 0 ? count : tensor.shape().get(i);
      }
      return new ToCome(Shape.of(extents));
    }
    if (!(tensor instanceof HostTensor host)) {
      throw new IllegalArgumentException(
          LayerState.prefix(layer)
              + "only tensors in host memory can be cut to their first examples");
    }
    return host.leading(count);
  }
}
