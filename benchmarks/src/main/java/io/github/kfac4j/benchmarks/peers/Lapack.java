package io.github.kfac4j.benchmarks.peers;

import org.bytedeco.javacpp.FloatPointer;

/** The routines of a BLAS and LAPACK that the plain way needs; row-major. */
interface Lapack {
  String name();

  String version();

  void setThreads(int threads);

  /** How long its threads stay busy after a call. */
  long settleMillis();

  /** Lower triangle of {@code C = alpha X'X + beta C}, X [k, n]. */
  void syrk(int n, int k, float alpha, FloatPointer x, float beta, FloatPointer c);

  /** {@code C = A B}, A [m, k], B [k, n]. */
  void gemm(int m, int n, int k, FloatPointer a, FloatPointer b, FloatPointer c);

  /** The lower triangle of the inverse of a symmetric matrix in its place; 0 if it went well. */
  int invert(int n, FloatPointer a);
}
