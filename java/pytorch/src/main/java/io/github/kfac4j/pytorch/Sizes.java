package io.github.kfac4j.pytorch;

import io.github.kfac4j.tensor.Shape;
import java.util.Arrays;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.TensorBase;

/** Shapes of PyTorch's and of K-FAC's tensors. */
final class Sizes {
  private Sizes() {}

  /** The extents of a tensor. */
  @SuppressWarnings("try") // the scope frees what is made inside it
  static long[] of(TensorBase tensor) {
    try (PointerScope scope = new PointerScope()) {
      long[] sizes = new long[(int) tensor.dim()];
      for (int i = 0; i < sizes.length; i++) {
        sizes[i] = tensor.size(i);
      }
      return sizes;
    }
  }

  /** How far elements of each dimension lie apart, in elements. */
  @SuppressWarnings("try") // the scope frees what is made inside it
  static long[] strides(TensorBase tensor) {
    try (PointerScope scope = new PointerScope()) {
      long[] strides = new long[(int) tensor.dim()];
      for (int i = 0; i < strides.length; i++) {
        strides[i] = tensor.stride(i);
      }
      return strides;
    }
  }

  /** The number of elements from the first one to the last one in memory. */
  static long reach(int[] shape, long[] strides) {
    long reach = 1;
    for (int i = 0; i < shape.length; i++) {
      if (shape[i] == 0) {
        return 0;
      }
      reach += (shape[i] - 1) * strides[i];
    }
    return reach;
  }

  static int[] ints(long[] sizes) {
    return Shape.ints(sizes);
  }

  static int[] ints(Shape shape) {
    int[] extents = new int[shape.rank()];
    Arrays.setAll(extents, shape::get);
    return extents;
  }

  /** With a batch dimension: a leading 1 if the shape has none. */
  static int[] batched(long[] sizes, int rank) {
    if (sizes.length >= rank) {
      return ints(sizes);
    }
    int[] extents = new int[sizes.length + 1];
    extents[0] = 1;
    System.arraycopy(ints(sizes), 0, extents, 1, sizes.length);
    return extents;
  }
}
