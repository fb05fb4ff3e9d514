package io.github.kfac4j.cpu.preconditioning;

import io.github.kfac4j.backend.OuterProduct;
import io.github.kfac4j.cpu.matrix.CpuMatrixStack;
import io.github.kfac4j.cpu.matrix.Gemm;
import io.github.kfac4j.cpu.matrix.Wide;
import io.github.kfac4j.cpu.matrix.WideGemm;
import io.github.kfac4j.cpu.memory.Arena;
import io.github.kfac4j.cpu.memory.Doubles;
import io.github.kfac4j.cpu.memory.Floats;
import io.github.kfac4j.cpu.samples.SampleMatrix;
import io.github.kfac4j.cpu.scheduling.Stages;
import java.util.ArrayList;
import java.util.List;

/**
 * A gradient transformed on both sides, {@code P' dW Q}, by way of the batch that it is the sum of:
 * {@code weight (g P)' (a Q)}.
 */
final class ThroughBatch {
  private ThroughBatch() {}

  /** Whether going through the batch takes fewer operations. */
  static boolean isCheaper(OuterProduct product, long rows, long cols) {
    if (product == null) {
      return false;
    }
    double batch = product.g().rows();
    return batch * (rows * rows + cols * cols + rows * cols) < (double) rows * cols * (rows + cols);
  }

  /**
   * Appends the two stages that form {@code alpha (g P)' (a Q)} for each group.
   *
   * @param p {@code [groups, rows, rows]}
   * @param q {@code [groups, cols, cols]}
   * @param result {@code [groups, rows, cols]}
   */
  static void add(
      Stages plan,
      OuterProduct product,
      CpuMatrixStack p,
      CpuMatrixStack q,
      float alpha,
      Floats result,
      Arena shared) {
    SampleMatrix gSamples = SampleMatrix.of(product.g());
    SampleMatrix aSamples = SampleMatrix.of(product.a());
    int rows = p.rows();
    int cols = q.rows();
    int batch = (int) product.g().rows();
    List<Gemm> halves = new ArrayList<>();
    List<Gemm> products = new ArrayList<>();
    for (int k = 0; k < p.count(); k++) {
      Floats left = shared.take((long) batch * rows);
      Floats right = shared.take((long) batch * cols);
      halves.add(aSamples.load(k, 0, batch, 0, cols, shared).times(q.matrix(k), right));
      halves.add(gSamples.load(k, 0, batch, 0, rows, shared).times(p.matrix(k), left));
      Floats c = result.plus((long) k * rows * cols);
      products.add(
          new Gemm(true, false, rows, cols, batch, alpha, left, rows, right, cols, 0, c, cols));
    }
    plan.add(halves);
    plan.add(products);
  }

  /** The same in fp64, with the weight of the product. */
  static void addWide(
      Stages plan,
      OuterProduct product,
      CpuMatrixStack p,
      CpuMatrixStack q,
      Doubles result,
      Arena shared) {
    SampleMatrix gSamples = SampleMatrix.of(product.g());
    SampleMatrix aSamples = SampleMatrix.of(product.a());
    int rows = p.rows();
    int cols = q.rows();
    int batch = (int) product.g().rows();
    List<WideGemm> halves = new ArrayList<>();
    List<WideGemm> products = new ArrayList<>();
    for (int k = 0; k < p.count(); k++) {
      Doubles left = shared.takeDoubles((long) batch * rows);
      Doubles right = shared.takeDoubles((long) batch * cols);
      halves.add(aSamples.load(k, 0, batch, 0, cols, shared).times(Wide.of(q, k), right));
      halves.add(gSamples.load(k, 0, batch, 0, rows, shared).times(Wide.of(p, k), left));
      Doubles c = result.plus((long) k * rows * cols);
      Wide l = Wide.of(left, rows);
      Wide r = Wide.of(right, cols);
      products.add(new WideGemm(true, false, rows, cols, batch, product.weight(), l, r, c, cols));
    }
    plan.add(halves);
    plan.add(products);
  }
}
