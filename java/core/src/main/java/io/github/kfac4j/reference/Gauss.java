package io.github.kfac4j.reference;

/** Inverses of square matrices that need not be symmetric, by elimination with pivots. */
final class Gauss {
  private Gauss() {}

  /** The inverse; elements that are not finite where there is none. */
  static double[] invert(double[] matrix, int n) {
    double[] a = matrix.clone();
    double[] inverse = new double[n * n];
    for (int i = 0; i < n; i++) {
      inverse[i * (n + 1)] = 1;
    }
    for (int column = 0; column < n; column++) {
      int pivot = column;
      for (int i = column + 1; i < n; i++) {
        if (Math.abs(a[i * n + column]) > Math.abs(a[pivot * n + column])) {
          pivot = i;
        }
      }
      swap(a, n, column, pivot);
      swap(inverse, n, column, pivot);
      double divisor = a[column * (n + 1)];
      for (int j = 0; j < n; j++) {
        a[column * n + j] /= divisor;
        inverse[column * n + j] /= divisor;
      }
      int row = column;
      Parallel.chunks(
          n,
          4.0 * n,
          (from, to) -> {
            for (int i = from; i < to; i++) {
              if (i != row) {
                double f = -a[i * n + row];
                add(a, n, i, f, row);
                add(inverse, n, i, f, row);
              }
            }
          });
    }
    return inverse;
  }

  private static void add(double[] x, int n, int target, double factor, int row) {
    for (int j = 0; j < n; j++) {
      x[target * n + j] = Math.fma(factor, x[row * n + j], x[target * n + j]);
    }
  }

  private static void swap(double[] x, int n, int i, int j) {
    for (int c = 0; i != j && c < n; c++) {
      double kept = x[i * n + c];
      x[i * n + c] = x[j * n + c];
      x[j * n + c] = kept;
    }
  }
}
