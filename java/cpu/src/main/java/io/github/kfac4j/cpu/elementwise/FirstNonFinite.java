package io.github.kfac4j.cpu.elementwise;

import io.github.kfac4j.cpu.matrix.Finite;
import io.github.kfac4j.cpu.memory.Floats;
import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.tensor.Tensor;
import java.nio.DoubleBuffer;
import java.nio.FloatBuffer;
import java.util.Arrays;

/** The first element of a tensor that is not finite. */
public final class FirstNonFinite extends TensorPass {
  private final long[] found = new long[chunks];

  public FirstNonFinite(Tensor tensor) {
    super(tensor);
  }

  /** The flat index, or -1, once the plan has run. */
  public long index() {
    return Arrays.stream(found).filter(i -> i >= 0).findFirst().orElse(-1);
  }

  @Override
  void visit(int chunk, Floats values, int from, int to) {
    found[chunk] = Finite.firstNot(values, from, to);
  }

  @Override
  void visit(int chunk, HostTensor values, int from, int to) {
    found[chunk] =
        values.isDouble() ? search(values.doubles(), from, to) : search(values.floats(), from, to);
  }

  private static long search(FloatBuffer values, int from, int to) {
    for (int i = from; i < to; i++) {
      if (!Float.isFinite(values.get(i))) {
        return i;
      }
    }
    return -1;
  }

  private static long search(DoubleBuffer values, int from, int to) {
    for (int i = from; i < to; i++) {
      if (!Double.isFinite(values.get(i))) {
        return i;
      }
    }
    return -1;
  }
}
