package io.github.kfac4j.layer;

import io.github.kfac4j.backend.RowSamples;
import io.github.kfac4j.tensor.Shape;
import io.github.kfac4j.tensor.Tensor;

/**
 * A fully connected layer {@code s = W a + b}, weight {@code [outFeatures, inFeatures]}.
 *
 * <p>Inputs are {@code [N, inFeatures]}, or {@code [N, ..., inFeatures]} if the layer is applied at
 * several positions of each example; these share the weight and are treated as the positions of a
 * convolution with a 1x1 kernel (K-FAC expand, Eschenhagen et al. 2023).
 */
public record Dense(int inFeatures, int outFeatures, boolean bias) implements Layer {
  /**
   * Checks the sizes.
   *
   * @throws IllegalArgumentException if a size is not positive
   */
  public Dense {
    if (inFeatures <= 0 || outFeatures <= 0) {
      throw new IllegalArgumentException(
          "features must be positive but are " + inFeatures + " in, " + outFeatures + " out");
    }
  }

  @Override
  public int inputDim() {
    return inFeatures + (bias ? 1 : 0);
  }

  @Override
  public int outputDim() {
    return outFeatures;
  }

  @Override
  public Shape weightShape() {
    return Shape.of(outFeatures, inFeatures);
  }

  @Override
  public Vectors use(Tensor input, Tensor outputGrad) {
    return new Vectors(
        rows("input", input, inFeatures, bias),
        rows("output gradient", outputGrad, outFeatures, false));
  }

  private static RowSamples rows(String what, Tensor data, int width, boolean bias) {
    Shape shape = data.shape();
    int last = shape.rank() - 1;
    if (last < 1 || shape.get(last) != width) {
      throw new IllegalArgumentException(
          "%s has shape %s, expected [N, %d] or [N, ..., %d]".formatted(what, shape, width, width));
    }
    Batches.requireExamples(what, shape);
    int positions = Batches.product(shape, 1, last);
    return new RowSamples(data, shape.get(0), positions, 1, width, bias);
  }
}
