package io.github.kfac4j.cpu.elementwise;

import io.github.kfac4j.cpu.memory.Floats;
import io.github.kfac4j.cpu.openblas.Blas;
import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.tensor.Tensor;
import java.nio.DoubleBuffer;
import java.nio.FloatBuffer;

/** A tensor multiplied in place. */
public final class Scaling extends TensorPass {
  private final double factor;

  public Scaling(Tensor tensor, double factor) {
    super(tensor);
    this.factor = factor;
  }

  @Override
  void visit(int chunk, Floats values, int from, int to) {
    Blas.scale(to - from, (float) factor, values.plus(from));
  }

  @Override
  void visit(int chunk, HostTensor values, int from, int to) {
    if (values.isDouble()) {
      scale(values.doubles(), from, to);
    } else {
      scale(values.floats(), from, to);
    }
  }

  private void scale(FloatBuffer values, int from, int to) {
    for (int i = from; i < to; i++) {
      values.put(i, (float) (factor * values.get(i)));
    }
  }

  private void scale(DoubleBuffer values, int from, int to) {
    for (int i = from; i < to; i++) {
      values.put(i, factor * values.get(i));
    }
  }
}
