package io.github.kfac4j.cpu.natives;

import io.github.kfac4j.cpu.memory.Arena;
import io.github.kfac4j.cpu.memory.Floats;

/** The right operand of a product on libkfac_cpu, {@code k x n}, packed into panels of columns. */
public final class Panels {
  private final int k;
  private final int n;
  private final int width = KfacCpu.kfac_cpu_panel_width();
  private final Floats memory;

  /** Panels in memory from an arena, not filled yet. */
  public Panels(int k, int n, Arena arena) {
    this.k = k;
    this.n = n;
    this.memory = arena.take((long) count() * width * k);
  }

  /** The number of panels. */
  public int count() {
    return (n + width - 1) / width;
  }

  /** The first column of a panel. */
  public int first(int panel) {
    return panel * width;
  }

  /** The columns of a panel that are not padding. */
  public int columns(int panel) {
    return Math.min(width, n - first(panel));
  }

  /** Columns of a whole panel, from one to the same of the next row. */
  public int width() {
    return width;
  }

  private int at(int panel, int row) {
    return (panel * k + row) * width;
  }

  /** Where a row of a panel lies. */
  public long row(int panel, int row) {
    return memory.address(at(panel, row));
  }

  /** Sets some rows of a panel. */
  public void fill(int panel, int firstRow, int rows, float value) {
    memory.fill(at(panel, firstRow), rows * width, value);
  }

  /** Sets one column of a panel. */
  public void fillColumn(int panel, int column, float value) {
    for (int i = 0; i < k; i++) {
      memory.put(at(panel, i) + column, value);
    }
  }

  /**
   * Packs some rows of a panel from a matrix with element {@code (i, j)} of the operand at {@code
   * data[(i - firstRow) * rowStride + j * columnStride]}, one of the strides being 1.
   */
  public void pack(
      int panel, int firstRow, int rows, long data, long rowStride, long columnStride) {
    pack(panel, firstRow, rows, data, rowStride, columnStride, n);
  }

  /** The same for a matrix of which only the first columns are there; zeros follow. */
  public void pack(
      int panel,
      int firstRow,
      int rows,
      long data,
      long rowStride,
      long columnStride,
      int columnsThere) {
    int there = Math.min(columns(panel), columnsThere - first(panel));
    if (there <= 0) {
      fill(panel, firstRow, rows, 0);
      return;
    }
    long from = data + Float.BYTES * first(panel) * columnStride;
    long to = row(panel, firstRow);
    KfacCpu.kfac_cpu_pack(rows, there, from, rowStride, columnStride, to);
  }

  /** {@code C = alpha A B} with A {@code m x k}, its rows contiguous, and B these panels. */
  public void multiply(
      int m, long a, int lda, float alpha, long c, long rowStride, long columnStride) {
    multiply(m, n, a, lda, 1, alpha, 0, c, rowStride, columnStride);
  }

  /**
   * {@code C = alpha A B + beta C} with B the first columns of these panels and A the transpose of
   * a matrix whose rows are {@code stride} long, in sums that do not drift where terms are alike.
   */
  public void multiplyShort(
      int m, int columns, long a, int stride, double alpha, double beta, long c, int ldc) {
    KfacCpu.kfac_cpu_multiply_short(
        m, columns, k, a, stride, memory.address(), alpha, beta, c, ldc);
  }

  /**
   * {@code C = alpha A B + beta C} with A {@code m x k}, B the first columns of these panels, and
   * element {@code (i, j)} of a matrix at {@code i * rowStride + j * columnStride}, one of the
   * strides being 1.
   */
  public void multiply(
      int m,
      int columns,
      long a,
      long aRow,
      long aColumn,
      float alpha,
      float beta,
      long c,
      long cRow,
      long cColumn) {
    KfacCpu.kfac_cpu_multiply(
        m, columns, k, a, aRow, aColumn, memory.address(), alpha, beta, c, cRow, cColumn);
  }
}
