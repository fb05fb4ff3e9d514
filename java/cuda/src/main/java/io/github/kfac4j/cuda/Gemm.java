package io.github.kfac4j.cuda;

import static org.bytedeco.cuda.global.cublas.CUBLAS_OP_N;
import static org.bytedeco.cuda.global.cublas.CUBLAS_OP_T;
import static org.bytedeco.cuda.global.cublas.cublasSgeam;
import static org.bytedeco.cuda.global.cublas.cublasSgemmStridedBatched;

import org.bytedeco.javacpp.FloatPointer;

/** Products of row-major matrices through cuBLAS, which thinks in columns. */
final class Gemm {
  private final CudaContext context;

  Gemm(CudaContext context) {
    this.context = context;
  }

  /** An operand: matrices that follow each other at a stride, 0 for one that serves all. */
  record Matrices(long address, int rows, int cols, boolean transposed, long stride) {
    static Matrices of(long address, int rows, int cols) {
      return new Matrices(address, rows, cols, false, (long) rows * cols);
    }

    Matrices transpose() {
      return new Matrices(address, rows, cols, !transposed, stride);
    }

    /** The same matrix for all products. */
    Matrices shared() {
      return new Matrices(address, rows, cols, transposed, 0);
    }

    int height() {
      return transposed ? cols : rows;
    }

    int width() {
      return transposed ? rows : cols;
    }

    private int operation() {
      return transposed ? CUBLAS_OP_T : CUBLAS_OP_N;
    }

    private FloatPointer pointer() {
      return Address.floats(address);
    }
  }

  /** {@code C = alpha A B + beta C} for {@code count} matrices, C following each other. */
  void multiply(Matrices a, Matrices b, double alpha, double beta, long c, int count) {
    int rows = a.height();
    int cols = b.width();
    String shape =
        "%d products [%d, %d] = [%d, %d] [%d, %d]"
            .formatted(count, rows, cols, rows, a.width(), b.height(), cols);
    try (FloatPointer one = new FloatPointer(new float[] {(float) alpha});
        FloatPointer other = new FloatPointer(new float[] {(float) beta})) {
      context.check.blas(
          cublasSgemmStridedBatched(
              context.blas(),
              b.operation(),
              a.operation(),
              cols,
              rows,
              a.width(),
              one,
              b.pointer(),
              b.cols,
              b.stride,
              a.pointer(),
              a.cols,
              a.stride,
              other,
              Address.floats(c),
              cols,
              (long) rows * cols,
              count),
          "cublasSgemmStridedBatched",
          shape);
    }
  }

  /** Copies a matrix between places with different distances of rows, in elements. */
  void copy(long from, long fromPitch, long to, long toPitch, int rows, int cols) {
    try (FloatPointer one = new FloatPointer(new float[] {1});
        FloatPointer zero = new FloatPointer(new float[] {0})) {
      context.check.blas(
          cublasSgeam(
              context.blas(),
              CUBLAS_OP_N,
              CUBLAS_OP_N,
              cols,
              rows,
              one,
              Address.floats(from),
              (int) fromPitch,
              zero,
              Address.floats(from),
              (int) fromPitch,
              Address.floats(to),
              (int) toPitch),
          "cublasSgeam",
          "[%d, %d]".formatted(rows, cols));
    }
  }
}
