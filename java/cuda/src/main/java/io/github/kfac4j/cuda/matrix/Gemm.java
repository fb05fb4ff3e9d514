package io.github.kfac4j.cuda.matrix;

import static org.bytedeco.cuda.global.cublas.CUBLAS_OP_N;
import static org.bytedeco.cuda.global.cublas.CUBLAS_OP_T;
import static org.bytedeco.cuda.global.cublas.cublasDgemmStridedBatched;

import io.github.kfac4j.cuda.context.Address;
import io.github.kfac4j.cuda.context.CudaContext;
import org.bytedeco.javacpp.DoublePointer;

/** Products of row-major fp64 matrices through cuBLAS, which is column-major. */
public final class Gemm {
  private final CudaContext context;

  public Gemm(CudaContext context) {
    this.context = context;
  }

  /** An operand: matrices that follow each other at a stride, 0 for one that serves all. */
  public record Matrices(long address, int rows, int cols, boolean transposed, long stride) {
    public static Matrices of(long address, int rows, int cols) {
      return new Matrices(address, rows, cols, false, (long) rows * cols);
    }

    public Matrices transpose() {
      return new Matrices(address, rows, cols, !transposed, stride);
    }

    /** The same matrix for all products. */
    public Matrices shared() {
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

    private DoublePointer pointer() {
      return Address.doubles(address);
    }
  }

  /** {@code C = A B} for {@code count} matrices, C following each other. */
  public void multiply(Matrices a, Matrices b, long c, int count) {
    multiply(a, b, 1, c, count);
  }

  /** {@code C = alpha A B} for {@code count} matrices, C following each other. */
  public void multiply(Matrices a, Matrices b, double alpha, long c, int count) {
    multiply(a, b, alpha, 0, c, count);
  }

  /** {@code C = alpha A B + C}, likewise. */
  public void add(Matrices a, Matrices b, double alpha, long c, int count) {
    multiply(a, b, alpha, 1, c, count);
  }

  private void multiply(Matrices a, Matrices b, double alpha, double beta, long c, int count) {
    int rows = a.height();
    int cols = b.width();
    String shape =
        "%d products [%d, %d] = [%d, %d] [%d, %d]"
            .formatted(count, rows, cols, rows, a.width(), b.height(), cols);
    try (DoublePointer factor = new DoublePointer(new double[] {alpha});
        DoublePointer kept = new DoublePointer(new double[] {beta})) {
      context
          .check()
          .blas(
              cublasDgemmStridedBatched(
                  context.blas(),
                  b.operation(),
                  a.operation(),
                  cols,
                  rows,
                  a.width(),
                  factor,
                  b.pointer(),
                  b.cols,
                  b.stride,
                  a.pointer(),
                  a.cols,
                  a.stride,
                  kept,
                  Address.doubles(c),
                  cols,
                  (long) rows * cols,
                  count),
              "cublasDgemmStridedBatched",
              shape);
    }
  }
}
