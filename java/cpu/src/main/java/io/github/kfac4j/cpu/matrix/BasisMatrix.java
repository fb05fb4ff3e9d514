package io.github.kfac4j.cpu.matrix;

import io.github.kfac4j.backend.Basis;
import io.github.kfac4j.cpu.memory.Floats;

/**
 * One basis of this backend's own as operands of products, in either of its forms.
 *
 * @param n the dimension
 * @param r reflections; 0 for a basis that is stored as its columns
 */
public record BasisMatrix(CpuMatrixStack stack, int k, int n, int r) {
  /** Basis {@code k} of a stack; null, for the identity, of null. */
  public static BasisMatrix of(Basis basis, int k) {
    return basis == null
        ? null
        : new BasisMatrix(CpuMatrixStack.of(basis.matrices()), k, basis.dim(), basis.reflections());
  }

  /** Whether it is {@code I - V W'}. */
  public boolean isReflected() {
    return r > 0;
  }

  /** From one row of Q, or of V and W, to the next. */
  public int stride() {
    return isReflected() ? r : n;
  }

  /** Q, or V, rounded to fp32. */
  public Floats first() {
    return stack.matrix(k);
  }

  /** W, rounded to fp32. */
  public Floats second() {
    return stack.matrix(k).plus((long) n * r);
  }

  /** Q, or V, with all digits. */
  public Wide wideFirst() {
    return new Wide(first(), stack.rest(k), null, stride());
  }

  /** W with all digits. */
  public Wide wideSecond() {
    Floats rest = stack.rest(k);
    return new Wide(second(), rest == null ? null : rest.plus((long) n * r), null, r);
  }
}
