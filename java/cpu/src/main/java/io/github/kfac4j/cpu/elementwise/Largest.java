package io.github.kfac4j.cpu.elementwise;

import io.github.kfac4j.cpu.memory.Floats;
import io.github.kfac4j.cpu.openblas.Blas;
import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.tensor.Tensor;
import java.util.Arrays;

/** The largest absolute value of a tensor, not finite if an element is not. */
public final class Largest extends TensorPass {
  /** Elements that stay in the first-level cache between the two passes over them. */
  private static final int BLOCK = 1 << 12;

  private final double[] found = new double[chunks];

  public Largest(Tensor tensor) {
    super(tensor);
  }

  /** Once the plan has run. */
  public double value() {
    return Arrays.stream(found).reduce(0, Math::max); // NaN stays
  }

  @Override
  void visit(int chunk, Floats values, int from, int to) {
    float largest = 0;
    for (int start = from; start < to; start += BLOCK) {
      int length = Math.min(BLOCK, to - start);
      float sum = Blas.absoluteSum(length, values, start);
      if (sum <= largest) {
        continue;
      }
      if (Float.isFinite(sum)) {
        int at = Blas.indexOfLargest(length, values, start);
        largest = Math.max(largest, Math.abs(values.get(start + at)));
      } else {
        // an element that is not finite, or a sum that overflows
        for (int i = start; i < start + length; i++) {
          largest = Math.max(largest, Math.abs(values.get(i)));
        }
      }
    }
    found[chunk] = largest;
  }

  @Override
  void visit(int chunk, HostTensor tensor, int from, int to) {
    pieces(
        tensor,
        from,
        to,
        (values, start, count) -> {
          double largest = found[chunk];
          for (int i = 0; i < count; i++) {
            largest = Math.max(largest, Math.abs(values[i])); // NaN stays
          }
          found[chunk] = largest;
        });
  }
}
