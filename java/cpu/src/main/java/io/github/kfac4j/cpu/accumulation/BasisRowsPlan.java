package io.github.kfac4j.cpu.accumulation;

import io.github.kfac4j.backend.BasisAccumulateRequest;
import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.cpu.matrix.CpuMatrixStack;
import io.github.kfac4j.cpu.matrix.Gemm;
import io.github.kfac4j.cpu.memory.Arena;
import io.github.kfac4j.cpu.memory.Floats;
import io.github.kfac4j.cpu.samples.Panel;
import io.github.kfac4j.cpu.samples.SampleMatrix;
import io.github.kfac4j.cpu.scheduling.Stages;
import java.util.ArrayList;
import java.util.List;

/**
 * The second moment in a Kronecker basis where each example is one row, for some of the rows: the
 * square of an outer product is the outer product of squares, so {@code M = decay M + weight (g
 * Qg)^2' (a Qa)^2}.
 */
final class BasisRowsPlan extends Stages {
  /** The most rows for one plan. */
  static final int MAX_ROWS = 1024;

  private final List<Gemm> projections = new ArrayList<>();
  private final List<Runnable> squares = new ArrayList<>();
  private final List<Gemm> products = new ArrayList<>();

  BasisRowsPlan(
      BasisAccumulateRequest moment,
      SampleMatrix g,
      SampleMatrix a,
      long first,
      int count,
      Arena shared) {
    CpuMatrixStack target = CpuMatrixStack.of(moment.target());
    float decay = first == 0 ? (float) moment.decay() : 1;
    for (int k = 0; k < target.count(); k++) {
      Floats left =
          squaredRows(g.load(k, first, count, 0, g.dim, shared), moment.gBasis(), k, shared);
      Floats right =
          squaredRows(a.load(k, first, count, 0, a.dim, shared), moment.aBasis(), k, shared);
      products.add(
          new Gemm(
              true,
              false,
              g.dim,
              a.dim,
              count,
              (float) moment.weight(),
              left,
              g.dim,
              right,
              a.dim,
              decay,
              target.matrix(k),
              a.dim));
    }
    add(projections);
    add(squares.size(), task -> squares.get(task).run());
    add(products);
  }

  /** Plans the squares of {@code X Q}, as rows. */
  private Floats squaredRows(Panel x, MatrixStack basis, int group, Arena shared) {
    int length = x.count() * x.width();
    Floats rows = shared.take(length);
    if (basis == null) {
      squares.add(() -> square(x, rows));
    } else {
      projections.add(x.times(CpuMatrixStack.of(basis).matrix(group), rows));
      squares.add(() -> square(new Panel(rows, x.width(), false, x.count(), x.width()), rows));
    }
    return rows;
  }

  private static void square(Panel x, Floats rows) {
    int fromRow = x.byCoordinate() ? 1 : x.stride();
    int fromColumn = x.byCoordinate() ? x.stride() : 1;
    for (int r = 0; r < x.count(); r++) {
      for (int c = 0; c < x.width(); c++) {
        float value = x.data().get(r * fromRow + c * fromColumn);
        rows.put(r * x.width() + c, value * value);
      }
    }
  }
}
