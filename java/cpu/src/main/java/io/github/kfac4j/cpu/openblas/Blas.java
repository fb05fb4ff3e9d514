package io.github.kfac4j.cpu.openblas;

import static org.bytedeco.openblas.global.openblas.*;

import io.github.kfac4j.cpu.memory.Floats;
import io.github.kfac4j.cpu.natives.KfacCpu;
import io.github.kfac4j.cpu.natives.KfacCpuLibrary;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Pointer;

/** The few BLAS and LAPACK routines in use, for row-major matrices. */
public final class Blas {
  private static final ThreadLocal<Operands> OPERANDS = ThreadLocal.withInitial(Operands::new);

  private Blas() {}

  /** What a call takes its operands by, made once for each thread and moved about. */
  private static final class Operands {
    private final Operand a = new Operand();
    private final Operand b = new Operand();
    private final Operand c = new Operand();
  }

  private static final class Operand extends FloatPointer {
    Operand() {
      super((Pointer) null);
    }

    Operand at(Floats place) {
      return at(place, 0);
    }

    Operand at(long place) {
      address = place;
      return this;
    }

    Operand at(Floats place, int distance) {
      address = place.address(distance);
      return this;
    }
  }

  /** {@code C = alpha op(A) op(B) + beta C}; op(A) is m x k, op(B) is k x n. */
  public static void gemm(
      boolean transposeA,
      boolean transposeB,
      int m,
      int n,
      int k,
      float alpha,
      Floats a,
      int lda,
      Floats b,
      int ldb,
      float beta,
      Floats c,
      int ldc) {
    Operands at = OPERANDS.get();
    cblas_sgemm(
        CblasRowMajor,
        transposeA ? CblasTrans : CblasNoTrans,
        transposeB ? CblasTrans : CblasNoTrans,
        m,
        n,
        k,
        alpha,
        at.a.at(a),
        lda,
        at.b.at(b),
        ldb,
        beta,
        at.c.at(c),
        ldc);
  }

  /** {@code y += alpha x}. */
  public static void axpy(int n, float alpha, Floats x, Floats y) {
    Operands at = OPERANDS.get();
    cblas_saxpy(n, alpha, at.a.at(x), 1, at.b.at(y), 1);
  }

  /** {@code x = alpha x}. */
  public static void scale(int n, float alpha, Floats x) {
    cblas_sscal(n, alpha, OPERANDS.get().a.at(x), 1);
  }

  /** The sum of absolute values: not finite if one of them is not, or if it overflows. */
  public static float absoluteSum(int n, Floats x, int from) {
    return cblas_sasum(n, OPERANDS.get().a.at(x, from), 1);
  }

  /** Where the largest absolute value is, if all are finite. */
  public static int indexOfLargest(int n, Floats x, int from) {
    return Math.toIntExact(cblas_isamax(n, OPERANDS.get().a.at(x, from), 1));
  }

  /** The inner product, summed in fp64. */
  public static double dot(int n, Floats x, Floats y) {
    return dot(n, x.address(), y.address());
  }

  /** The same of numbers at two addresses. */
  public static double dot(int n, long x, long y) {
    return KfacCpuLibrary.isAvailable()
        ? KfacCpu.kfac_cpu_dot(n, x, y)
        : cblas_dsdot(n, OPERANDS.get().a.at(x), 1, OPERANDS.get().b.at(y), 1);
  }

  // LAPACK is column-major: what it calls the upper triangle is the lower of a row-major matrix.

  /** Cholesky factor in the lower triangle; 0, or the 1-based pivot that is not positive. */
  public static int potrf(int n, Floats a, int lda) {
    return checked(
        "spotrf", LAPACKE_spotrf_work(LAPACK_COL_MAJOR, UPPER, n, OPERANDS.get().a.at(a), lda));
  }

  /** The lower triangle of the inverse from a Cholesky factor; 0, or a zero pivot, 1-based. */
  public static int potri(int n, Floats a, int lda) {
    return checked(
        "spotri", LAPACKE_spotri_work(LAPACK_COL_MAJOR, UPPER, n, OPERANDS.get().a.at(a), lda));
  }

  private static final byte UPPER = 'U';

  private static int checked(String routine, int info) {
    if (info < 0) {
      throw new IllegalStateException(routine + ": argument " + -info + " is invalid");
    }
    return info;
  }
}
