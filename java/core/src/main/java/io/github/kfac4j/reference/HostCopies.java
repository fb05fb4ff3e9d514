package io.github.kfac4j.reference;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.Basis;
import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.backend.Status;
import java.util.Arrays;
import java.util.IdentityHashMap;
import java.util.Map;

/** Copies of a backend's stacks in another one. A stack has one copy, wherever it is used. */
public final class HostCopies implements AutoCloseable {
  private final Backend backend;
  private final Map<MatrixStack, MatrixStack> copies = new IdentityHashMap<>();
  private final Map<MatrixStack, MatrixStack> outputs = new IdentityHashMap<>();

  public HostCopies(Backend backend) {
    this.backend = backend;
  }

  /** A stack that is read; null for null. */
  public MatrixStack in(MatrixStack stack) {
    if (stack == null) {
      return null;
    }
    return copies.computeIfAbsent(
        stack,
        s -> {
          MatrixStack copy = backend.allocate(s.count(), s.rows(), s.cols());
          copy.set(s.toArray());
          return copy;
        });
  }

  /** A basis that is read; null for null. */
  public Basis in(Basis basis) {
    return basis == null ? null : new Basis(in(basis.matrices()), basis.reflections());
  }

  /** A stack that is changed. */
  MatrixStack out(MatrixStack stack) {
    MatrixStack copy = in(stack);
    outputs.put(stack, copy);
    return copy;
  }

  /**
   * Takes back results of fp64 that their stacks have no room for: where an element of the first
   * stack is beyond fp32 the status becomes {@link Status#NOT_FINITE}, and the matrix of each stack
   * keeps its value.
   */
  void refuseWhatHasNoRoom(Status[] statuses, MatrixStack... results) {
    if (results[0].isDouble()) {
      return;
    }
    double[] made = copies.get(results[0]).toArray();
    int size = made.length / Math.max(1, statuses.length);
    for (int k = 0; k < statuses.length; k++) {
      boolean fits =
          Arrays.stream(made, k * size, (k + 1) * size).allMatch(x -> Float.isFinite((float) x));
      if (statuses[k].ok() && !fits) {
        statuses[k] = Status.NOT_FINITE;
        for (MatrixStack result : results) {
          restore(result, k);
        }
      }
    }
  }

  private void restore(MatrixStack stack, int k) {
    MatrixStack copy = copies.get(stack);
    double[] all = copy.toArray();
    int size = stack.rows() * stack.cols();
    System.arraycopy(stack.toArray(), k * size, all, k * size, size);
    copy.set(all);
  }

  /** Hands the changes on to the stacks themselves. */
  void writeBack() {
    outputs.forEach((stack, copy) -> stack.set(copy.toArray()));
  }

  @Override
  public void close() {
    copies.values().forEach(MatrixStack::close);
  }
}
