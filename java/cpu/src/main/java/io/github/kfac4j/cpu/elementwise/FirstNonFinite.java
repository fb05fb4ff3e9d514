package io.github.kfac4j.cpu.elementwise;

import io.github.kfac4j.cpu.matrix.Finite;
import io.github.kfac4j.cpu.memory.Floats;
import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.tensor.Tensor;
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
  void visit(int chunk, HostTensor tensor, int from, int to) {
    found[chunk] = -1;
    pieces(
        tensor,
        from,
        to,
        (values, start, count) -> {
          for (int i = 0; i < count && found[chunk] < 0; i++) {
            if (!Double.isFinite(values[i])) {
              found[chunk] = start + i;
            }
          }
        });
  }
}
