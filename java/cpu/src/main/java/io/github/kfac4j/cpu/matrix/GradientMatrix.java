package io.github.kfac4j.cpu.matrix;

import io.github.kfac4j.backend.Gradient;
import io.github.kfac4j.cpu.memory.Arena;
import io.github.kfac4j.cpu.memory.Doubles;
import io.github.kfac4j.cpu.memory.Floats;
import io.github.kfac4j.cpu.openblas.Blas;
import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.tensor.Tensor;
import java.util.List;

/** A layer's gradient as matrices of {@code rows x cols}, one for each group, the bias last. */
public final class GradientMatrix {
  /** About the number of elements that one task of a pass over the gradient takes on. */
  private static final int CHUNK = 1 << 16;

  private final int groups;
  private final int rows;
  private final int cols;
  private final int width;
  private final Source exactWeight;
  private final Source exactBias;
  private final Floats weight;
  private final Floats bias;

  /** Reads a gradient; what does not lie outside the heap as fp32 is copied to the arena. */
  public GradientMatrix(Gradient gradient, int groups, int rows, int cols, Arena shared) {
    this.groups = groups;
    this.rows = rows;
    this.cols = cols;
    this.width = gradient.bias() == null ? cols : cols - 1;
    this.exactWeight = Source.of(gradient.weight());
    this.exactBias = gradient.bias() == null ? null : Source.of(gradient.bias());
    this.weight = exactWeight.view(0, groups * rows * width, shared);
    this.bias = exactBias == null ? null : exactBias.view(0, groups * rows, shared);
  }

  /** The products that form {@code C = op(Q) dW} for one group, C being {@code rows x cols}. */
  public void leftProducts(List<Gemm> list, boolean transpose, Floats q, int group, Floats c) {
    Floats w = weight.plus((long) group * rows * width);
    list.add(Gemm.of(transpose, false, rows, width, rows, q, rows, w, width, c, cols));
    if (bias != null) {
      Floats b = bias.plus((long) group * rows);
      list.add(Gemm.of(transpose, false, rows, 1, rows, q, rows, b, 1, c.plus(width), cols));
    }
  }

  /** Tasks of a pass over all rows. */
  public int tasks() {
    return Math.max(1, (int) ((long) groups * rows * cols / CHUNK));
  }

  /** The first row of a task; rows are counted through all groups. */
  public int firstRow(int task) {
    return (int) ((long) groups * rows * task / tasks());
  }

  /** Copies one task's rows to {@code [groups * rows, cols]}. */
  public void copyTo(Floats target, int task) {
    for (int r = firstRow(task); r < firstRow(task + 1); r++) {
      Floats row = target.plus((long) r * cols);
      row.copy(weight.plus((long) r * width), width);
      if (bias != null) {
        row.put(width, bias.get(r));
      }
    }
  }

  /**
   * Copies one task's rows, with all digits that the gradient has, to {@code [groups * rows,
   * cols]}.
   */
  public void copyTo(Doubles target, int task) {
    for (int r = firstRow(task); r < firstRow(task + 1); r++) {
      exactWeight.copyTo(target.plus((long) r * cols), r * width, width);
      if (bias != null) {
        exactBias.copyTo(target.plus((long) r * cols + width), r, 1);
      }
    }
  }

  /** The sum of the squares of one group. */
  public double squares(int group) {
    Floats w = weight.plus((long) group * rows * width);
    double sum = Blas.dot(rows * width, w, w);
    if (bias != null) {
      Floats b = bias.plus((long) group * rows);
      sum += Blas.dot(rows, b, b);
    }
    return sum;
  }

  /** One task's part of the inner product with U, in fp64. */
  public double dot(Floats u, int task) {
    double sum = 0;
    for (int r = firstRow(task); r < firstRow(task + 1); r++) {
      Floats row = u.plus((long) r * cols);
      sum += Blas.dot(width, row, weight.plus((long) r * width));
      if (bias != null) {
        sum += (double) row.get(width) * bias.get(r);
      }
    }
    return sum;
  }

  /** Writes one task's rows of U to a gradient of this shape. */
  public void write(Floats u, Gradient result, int task) {
    for (int r = firstRow(task); r < firstRow(task + 1); r++) {
      Floats row = u.plus((long) r * cols);
      write(row, width, result.weight(), r * width);
      if (bias != null) {
        write(row.plus(width), 1, result.bias(), r);
      }
    }
  }

  private static void write(Floats values, int n, Tensor target, int start) {
    ((HostTensor) target).write(start, values.buffer().slice(values.start(), n));
  }
}
