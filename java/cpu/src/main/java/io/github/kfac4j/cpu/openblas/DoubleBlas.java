package io.github.kfac4j.cpu.openblas;

import static org.bytedeco.openblas.global.openblas.*;

import io.github.kfac4j.cpu.memory.Arena;
import io.github.kfac4j.cpu.memory.Doubles;
import org.bytedeco.javacpp.DoublePointer;
import org.bytedeco.javacpp.IntPointer;
import org.bytedeco.javacpp.Pointer;

/** The few routines of BLAS and LAPACK in use in fp64, for row-major matrices. */
public final class DoubleBlas {
  private static final ThreadLocal<Operands> OPERANDS = ThreadLocal.withInitial(Operands::new);
  private static final byte VECTORS = 'V';
  private static final byte ALL = 'A';
  private static final byte UPPER = 'U';
  private static final byte FORWARD = 'F';
  private static final byte BY_COLUMN = 'C';

  private DoubleBlas() {}

  /** What a call takes its operands by, made once for each thread and moved about. */
  private static final class Operands {
    private final Operand a = new Operand();
    private final Operand b = new Operand();
    private final Operand c = new Operand();
  }

  private static final class Operand extends DoublePointer {
    Operand() {
      super((Pointer) null);
    }

    Operand at(Doubles place) {
      address = place.address();
      return this;
    }
  }

  private static final class Integers extends IntPointer {
    Integers(int length, Arena scratch) {
      super((Pointer) null);
      address = scratch.takeAddress(length);
    }
  }

  /** {@code C = alpha op(A) op(B) + beta C}; op(A) is m x k, op(B) is k x n. */
  public static void gemm(
      boolean transposeA,
      boolean transposeB,
      int m,
      int n,
      int k,
      double alpha,
      Doubles a,
      int lda,
      Doubles b,
      int ldb,
      double beta,
      Doubles c,
      int ldc) {
    Operands at = OPERANDS.get();
    cblas_dgemm(
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

  /** Lower triangle of {@code C = op(A) op(A)' + beta C}; op(A) is n x k. */
  public static void syrk(
      boolean transpose, int n, int k, Doubles a, int lda, double beta, Doubles c, int ldc) {
    Operands at = OPERANDS.get();
    cblas_dsyrk(
        CblasRowMajor,
        CblasLower,
        transpose ? CblasTrans : CblasNoTrans,
        n,
        k,
        1,
        at.a.at(a),
        lda,
        beta,
        at.c.at(c),
        ldc);
  }

  // LAPACK is column-major: eigenvectors as its columns are rows here, and a symmetric matrix is
  // its own transpose.

  /**
   * The lower triangle of the inverse in place of a symmetric matrix, by Cholesky; 0, or the
   * 1-based pivot that is not positive.
   */
  public static int invert(int n, Doubles matrix) {
    Operand place = OPERANDS.get().a.at(matrix);
    int pivot = checked("dpotrf", LAPACKE_dpotrf_work(LAPACK_COL_MAJOR, UPPER, n, place, n));
    return pivot == 0
        ? checked("dpotri", LAPACKE_dpotri_work(LAPACK_COL_MAJOR, UPPER, n, place, n))
        : pivot;
  }

  /** The rows of an {@code r x n} matrix, r at most n, made orthonormal, up to signs. */
  public static void orthonormalRows(int r, int n, Doubles rows, Arena scratch) {
    Operands at = OPERANDS.get();
    Operand place = at.a.at(rows);
    Operand taus = at.b.at(scratch.takeDoubles(r));
    int length = 64 * r;
    Operand work = at.c.at(scratch.takeDoubles(length));
    checked("dgeqrf", LAPACKE_dgeqrf_work(LAPACK_COL_MAJOR, n, r, place, n, taus, work, length));
    checked("dorgqr", LAPACKE_dorgqr_work(LAPACK_COL_MAJOR, n, r, r, place, n, taus, work, length));
  }

  /**
   * The reflections that take unit vectors to the rows of an orthonormal {@code r x n} matrix, up
   * to signs: W' in its place, and an {@code r x r} matrix M with {@code V' = M W'} of {@code I - V
   * W'}, whose first columns are those rows.
   */
  public static void reflections(int r, int n, Doubles rows, Doubles m, Arena scratch) {
    Operands at = OPERANDS.get();
    Operand place = at.a.at(rows);
    Operand taus = at.b.at(scratch.takeDoubles(r));
    int length = 64 * r;
    Operand work = at.c.at(scratch.takeDoubles(length));
    checked("dgeqrf", LAPACKE_dgeqrf_work(LAPACK_COL_MAJOR, n, r, place, n, taus, work, length));
    for (int i = 0; i < r; i++) { // of R nothing is kept
      for (int j = 0; j <= i; j++) {
        rows.put(i * n + j, i == j ? 1 : 0);
      }
    }
    for (int i = 0; i < r * r; i++) {
      m.put(i, 0);
    }
    checked(
        "dlarft",
        LAPACKE_dlarft_work(
            LAPACK_COL_MAJOR, FORWARD, BY_COLUMN, n, r, place, n, taus, at.c.at(m), r));
  }

  /** Eigenvectors in place of the matrix, as rows: divide and conquer, the fastest. */
  public static int syevd(int n, Doubles matrix, Doubles values, Arena scratch) {
    Operands at = OPERANDS.get();
    int length = Math.toIntExact(1 + 6L * n + 2L * n * n);
    int integers = 3 + 5 * n;
    return checked(
        "dsyevd",
        LAPACKE_dsyevd_work(
            LAPACK_COL_MAJOR,
            VECTORS,
            UPPER,
            n,
            at.a.at(matrix),
            n,
            at.b.at(values),
            at.c.at(scratch.takeDoubles(length)),
            length,
            new Integers(integers, scratch),
            integers));
  }

  /** The same by relatively robust representations, for what the first fails on. */
  public static int syevr(int n, Doubles matrix, Doubles values, Arena scratch) {
    Operands at = OPERANDS.get();
    int size = n * n;
    int length = 26 * n;
    int integers = 10 * n;
    Doubles vectors = scratch.takeDoubles(size);
    Integers found = new Integers(1, scratch);
    int info =
        checked(
            "dsyevr",
            LAPACKE_dsyevr_work(
                LAPACK_COL_MAJOR,
                VECTORS,
                ALL,
                UPPER,
                n,
                at.a.at(matrix),
                n,
                0,
                0,
                0,
                0,
                0,
                found,
                at.b.at(values),
                at.c.at(vectors),
                n,
                new Integers(2 * n, scratch),
                new Operand().at(scratch.takeDoubles(length)),
                length,
                new Integers(integers, scratch),
                integers));
    matrix.buffer().put(matrix.start(), vectors.buffer(), vectors.start(), size);
    return info == 0 && found.get() != n ? 1 : info;
  }

  private static int checked(String routine, int info) {
    if (info < 0) {
      throw new IllegalStateException(routine + ": argument " + -info + " is invalid");
    }
    return info;
  }
}
