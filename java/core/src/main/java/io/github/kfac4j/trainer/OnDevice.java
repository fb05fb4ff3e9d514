package io.github.kfac4j.trainer;

import io.github.kfac4j.layer.Layer;
import io.github.kfac4j.options.Approximation.Rows;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.tensor.Shape;

/**
 * Which tensors in the memory of a GPU K-FAC takes where they are. The others, of layers whose data
 * is rearranged before a backend sees it, and of rows that must be cut or sorted by example, it
 * reads in host memory.
 */
public final class OnDevice {
  private OnDevice() {}

  /** Whether it takes the input of a layer. */
  public static boolean input(
      String name, Layer layer, Shape shape, int examples, KfacOptions options) {
    return layer.readsOnDevice() && rowsAreInPlace(name, shape, examples, options);
  }

  /** Whether it takes the gradient at the output of a layer. */
  public static boolean outputGrad(
      String name, Layer layer, Shape shape, int examples, KfacOptions options) {
    return layer.readsOnDevice(shape) && rowsAreInPlace(name, shape, examples, options);
  }

  /** Whether it takes and rewrites the gradients of a layer's parameters. */
  public static boolean gradient(String name, Layer layer, KfacOptions options) {
    return layer.rewritesOnDevice() && options.approximationOf(name).rows() != Rows.REARRANGED;
  }

  private static boolean rowsAreInPlace(
      String name, Shape shape, int examples, KfacOptions options) {
    Rows rows = options.approximationOf(name).rows();
    boolean together = rows == Rows.IN_PLACE || rows == Rows.BY_EXAMPLE && shape.get(0) == examples;
    return together && examples <= options.maxExamples();
  }
}
