package io.github.kfac4j.data;

import io.github.kfac4j.data.Observation.ToCome;
import io.github.kfac4j.layer.Layer;
import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.tensor.Shape;
import io.github.kfac4j.tensor.Tensor;
import java.util.Arrays;

/** Observations whose first dimension is that of the examples, where rows are told apart. */
public final class ExamplesFirst {
  private ExamplesFirst() {}

  /**
   * The first {@code most} examples of an observation, or all if it has no more.
   *
   * @throws IllegalArgumentException if no dimension is that of the examples, or tensors that must
   *     be permuted or cut are not in host memory
   */
  public static Observation of(Observation seen, Layer layer, int maxExamples) {
    int axis = axis(seen, layer);
    int examples = Math.min(seen.examples(), maxExamples);
    return seen.with(
        leading(moved(seen.input(), axis), examples),
        leading(moved(seen.outputGrad(), axis), examples),
        examples);
  }

  /** The dimension of the examples, in both tensors. */
  private static int axis(Observation seen, Layer layer) {
    Shape in = seen.input().shape();
    Shape out = seen.outputGrad().shape();
    int n = seen.examples();
    int candidates = layer.featuresLast() ? out.rank() - 1 : 1;
    for (int axis = 0; axis < Math.min(candidates, in.rank()); axis++) {
      if (in.get(axis) == n && out.get(axis) == n) {
        return axis;
      }
    }
    layer.use(seen.input(), seen.outputGrad()); // refuses what has no meaning at all
    throw new IllegalArgumentException(
        ("the input has shape %s and the output gradient %s, in which %s %d examples, and this"
                + " layer's curvature needs to know which rows are of one example: keep the"
                + " examples a dimension of their own up to this layer, choose KRONECKER, expanded,"
                + " with all examples for it, or leave it out")
            .formatted(
                in,
                out,
                layer.featuresLast()
                    ? "no dimension before the last is that of the"
                    : "the first dimension is not that of the",
                n));
  }

  private static Tensor leading(Tensor tensor, int count) {
    if (tensor.shape().get(0) == count) {
      return tensor;
    }
    if (tensor instanceof ToCome) {
      int[] extents = extents(tensor.shape());
      extents[0] = count;
      return new ToCome(Shape.of(extents));
    }
    return host(tensor, "cut to their first examples").leading(count);
  }

  /** With dimension {@code axis} in front of those that came before it. */
  private static Tensor moved(Tensor tensor, int axis) {
    if (axis == 0) {
      return tensor;
    }
    int[] order = new int[tensor.shape().rank()];
    Arrays.setAll(order, i -> i == 0 ? axis : i <= axis ? i - 1 : i);
    if (tensor instanceof ToCome) {
      int[] extents = Arrays.stream(order).map(tensor.shape()::get).toArray();
      return new ToCome(Shape.of(extents));
    }
    return host(tensor, "sorted by examples").permute(order);
  }

  private static HostTensor host(Tensor tensor, String purpose) {
    if (tensor instanceof HostTensor host) {
      return host;
    }
    throw new IllegalArgumentException("only tensors in host memory can be " + purpose);
  }

  private static int[] extents(Shape shape) {
    int[] extents = new int[shape.rank()];
    Arrays.setAll(extents, shape::get);
    return extents;
  }
}
