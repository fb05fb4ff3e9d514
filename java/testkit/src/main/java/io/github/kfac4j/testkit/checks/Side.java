package io.github.kfac4j.testkit.checks;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.tensor.HostTensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * One side of a comparison: a backend and the data it works on. The oracle's tensors are fp64, so
 * that its results are not rounded; the other's are fp32 in direct buffers, as trainers share them.
 */
final class Side implements AutoCloseable {
  private final Backend backend;
  private final boolean exact;
  private final List<MatrixStack> stacks = new ArrayList<>();

  Side(Backend backend, boolean exact) {
    this.backend = backend;
    this.exact = exact;
  }

  Backend backend() {
    return backend;
  }

  /** A tensor with a copy of the values, of rank 1 if no shape is given. */
  HostTensor tensor(double[] values, int... shape) {
    int[] extents = shape.length == 0 ? new int[] {values.length} : shape;
    if (exact) {
      return HostTensor.of(values.clone(), extents);
    }
    FloatBuffer buffer =
        ByteBuffer.allocateDirect(Float.BYTES * values.length)
            .order(ByteOrder.nativeOrder())
            .asFloatBuffer();
    for (int i = 0; i < values.length; i++) {
      buffer.put(i, (float) values[i]);
    }
    return HostTensor.of(buffer, extents);
  }

  /** A stack with the given elements, closed with this side. */
  MatrixStack stack(int count, int rows, int cols, double[] elements) {
    MatrixStack stack = zeros(count, rows, cols);
    stack.set(elements);
    return stack;
  }

  /** A stack with one {@code n x n} matrix of basis vectors, closed with this side. */
  MatrixStack basis(int n, double[] vectors) {
    MatrixStack stack = backend.allocateBasis(1, n, n);
    stacks.add(stack);
    stack.set(vectors);
    return stack;
  }

  /** A new stack, closed with this side. */
  MatrixStack zeros(int count, int rows, int cols) {
    MatrixStack stack = backend.allocate(count, rows, cols);
    stacks.add(stack);
    return stack;
  }

  @Override
  public void close() {
    stacks.forEach(MatrixStack::close);
    stacks.clear();
  }
}
