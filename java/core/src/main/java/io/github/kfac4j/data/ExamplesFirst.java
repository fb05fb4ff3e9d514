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
   * The first {@code most} examples of an observation, or all if it has no more. Where their
   * dimension is not the first one the tensors are copied.
   *
   * @throws IllegalArgumentException if no dimension is that of the examples, or tensors that must
   *     be copied or cut are not in host memory
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
    int[] from = extents(tensor.shape());
    int[] to = from.clone();
    to[0] = from[axis];
    System.arraycopy(from, 0, to, 1, axis);
    if (tensor instanceof ToCome) {
      return new ToCome(Shape.of(to));
    }
    HostTensor source = host(tensor, "sorted by examples");
    HostTensor target = HostTensor.like(source, to);
    int before = product(from, 0, axis);
    int length = product(from, axis + 1, from.length);
    double[] part = new double[length];
    for (int b = 0; b < before; b++) {
      for (int n = 0; n < from[axis]; n++) {
        source.read((b * from[axis] + n) * length, part, 0, length);
        target.write((n * before + b) * length, part, 0, length);
      }
    }
    return target;
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

  private static int product(int[] extents, int from, int to) {
    return Arrays.stream(extents, from, to).reduce(1, Math::multiplyExact);
  }
}
