package io.github.kfac4j.cpu;

/** The right operand of a product on libkfac_cpu, {@code k x n}, packed into panels of columns. */
final class Panels {
  private final int k;
  private final int n;
  private final int width = KfacCpu.kfac_cpu_panel_width();
  private final Floats memory;

  /** Panels in memory from an arena, not filled yet. */
  Panels(int k, int n, Arena arena) {
    this.k = k;
    this.n = n;
    this.memory = arena.take((long) count() * width * k);
  }

  /** The number of panels. */
  int count() {
    return (n + width - 1) / width;
  }

  /** The first column of a panel. */
  int first(int panel) {
    return panel * width;
  }

  /** The columns of a panel that are not padding. */
  int columns(int panel) {
    return Math.min(width, n - first(panel));
  }

  /** Columns of a whole panel, from one to the same of the next row. */
  int width() {
    return width;
  }

  /** Where a row of a panel lies. */
  Floats row(int panel, int row) {
    return memory.plus(((long) panel * k + row) * width);
  }

  /**
   * Packs some rows of a panel from a matrix with element {@code (i, j)} of the operand at {@code
   * data[(i - firstRow) * rowStride + j * columnStride]}, one of the strides being 1.
   */
  void pack(int panel, int firstRow, int rows, Floats data, long rowStride, long columnStride) {
    KfacCpu.kfac_cpu_pack(
        rows,
        columns(panel),
        data.plus(first(panel) * columnStride).address(),
        rowStride,
        columnStride,
        row(panel, firstRow).address());
  }

  /**
   * {@code C = alpha A B} with A {@code m x k}, its rows contiguous, B these panels, and element
   * {@code (i, j)} of C at {@code c[i * rowStride + j * columnStride]}.
   */
  void multiply(
      int m, Floats a, int lda, float alpha, Floats c, long rowStride, long columnStride) {
    KfacCpu.kfac_cpu_multiply(
        m,
        n,
        k,
        a.address(),
        lda,
        1,
        memory.address(),
        alpha,
        0,
        c.address(),
        rowStride,
        columnStride);
  }
}
