package io.github.kfac4j.reference;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.Basis;
import io.github.kfac4j.backend.MatrixStack;
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

  /** Hands the changes on to the stacks themselves. */
  void writeBack() {
    outputs.forEach((stack, copy) -> stack.set(copy.toArray()));
  }

  @Override
  public void close() {
    copies.values().forEach(MatrixStack::close);
  }
}
