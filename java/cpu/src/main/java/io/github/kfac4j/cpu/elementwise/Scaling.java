package io.github.kfac4j.cpu.elementwise;

import io.github.kfac4j.cpu.memory.Floats;
import io.github.kfac4j.cpu.openblas.Blas;
import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.tensor.Tensor;

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
  void visit(int chunk, HostTensor tensor, int from, int to) {
    pieces(
        tensor,
        from,
        to,
        (values, start, count) -> {
          for (int i = 0; i < count; i++) {
            values[i] *= factor;
          }
          tensor.write(start, values, 0, count);
        });
  }
}
