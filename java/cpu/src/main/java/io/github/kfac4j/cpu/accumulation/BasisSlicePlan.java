package io.github.kfac4j.cpu.accumulation;

import io.github.kfac4j.backend.BasisAccumulateRequest;
import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.cpu.matrix.CpuMatrixStack;
import io.github.kfac4j.cpu.matrix.Wide;
import io.github.kfac4j.cpu.matrix.WideGemm;
import io.github.kfac4j.cpu.memory.Arena;
import io.github.kfac4j.cpu.memory.Doubles;
import io.github.kfac4j.cpu.memory.Floats;
import io.github.kfac4j.cpu.openblas.Blas;
import io.github.kfac4j.cpu.samples.Panel;
import io.github.kfac4j.cpu.samples.SampleMatrix;
import io.github.kfac4j.cpu.samples.WidePanel;
import io.github.kfac4j.cpu.scheduling.Plan;
import io.github.kfac4j.cpu.scheduling.Turns;

/**
 * The second moment in a Kronecker basis of one group where each example has several positions:
 * {@code M = decay M + weight sum over examples of (Qg' (g'a) Qa)^2}. Slices of examples are tasks;
 * each forms the gradients of a few examples at a time, squares them and forgets them. A basis is
 * applied to the samples or to the gradients, whichever takes fewer operations. All that is fp64:
 * in a null space the gradients are zero, and the squares of fp32's rounding errors are not
 * negligible beside a small damping.
 */
final class BasisSlicePlan implements Plan {
  private static final int MAX_SLICES = 16;

  /** The most elements of all partial sums, and of the gradients that a thread holds at once. */
  private static final int MAX_PARTIALS = 1 << 22;

  private static final int MAX_GRADIENTS = 1 << 17;

  /** Elements of a basis that a thread holds in fp64; a larger one is expanded block by block. */
  private static final int MAX_BASIS = 1 << 21;

  private final SampleMatrix g;
  private final SampleMatrix a;
  private final Wide gBasis;
  private final Wide aBasis;
  private final Floats target;
  private final int group;
  private final float decay;
  private final double weight;
  private final int examples;
  private final int positions;
  private final boolean projectG;
  private final boolean projectA;
  private final int slices;
  private final Turns turns = new Turns();

  BasisSlicePlan(BasisAccumulateRequest moment, SampleMatrix g, SampleMatrix a, int group) {
    this.g = g;
    this.a = a;
    this.gBasis = basis(moment.gBasis(), group);
    this.aBasis = basis(moment.aBasis(), group);
    this.target = CpuMatrixStack.of(moment.target()).matrix(group);
    this.group = group;
    this.decay = (float) moment.decay();
    this.weight = moment.weight();
    this.examples = moment.g().examples();
    this.positions = moment.g().positions();
    this.projectG = gBasis != null && positions < a.dim;
    this.projectA = aBasis != null && positions < g.dim;
    long partials = Math.max(1, MAX_PARTIALS / ((long) g.dim * a.dim));
    this.slices = (int) Math.min(Math.min(MAX_SLICES, examples), partials);
  }

  private static Wide basis(MatrixStack stack, int group) {
    return stack == null ? null : Wide.of(CpuMatrixStack.of(stack), group);
  }

  @Override
  public int phases() {
    return 1;
  }

  @Override
  public int tasks(int phase) {
    return slices;
  }

  @Override
  public double work() {
    return (double) examples * g.dim * a.dim * positions;
  }

  @Override
  public void run(int phase, int task, Arena scratch) {
    int size = g.dim * a.dim;
    int first = (int) ((long) examples * task / slices);
    int last = (int) ((long) examples * (task + 1) / slices);
    try {
      if (task == 0) {
        clear(target, size, decay);
        addExamples(first, last, target, scratch);
        return;
      }
      Floats partial = scratch.take(size);
      partial.fill(size, 0);
      addExamples(first, last, partial, scratch);
      turns.take(task, () -> Blas.axpy(size, 1, partial, target));
    } finally {
      turns.end(task);
    }
  }

  /** A decay of 0 clears whatever was there, NaN too. */
  private static void clear(Floats target, int size, float decay) {
    if (decay == 0) {
      target.fill(size, 0);
    } else {
      Blas.scale(size, decay, target);
    }
  }

  private void addExamples(int first, int last, Floats sum, Arena scratch) {
    int size = g.dim * a.dim;
    int stacked = Math.max(1, Math.min(last - first, MAX_GRADIENTS / size));
    stacked = Math.max(1, Math.min(stacked, SampleMatrix.PANEL_LIMIT / (positions * widest())));
    Wide qg = expanded(gBasis, g.dim, scratch);
    Wide qa = expanded(aBasis, a.dim, scratch);
    Doubles gradients = scratch.takeDoubles((long) stacked * size);
    Doubles projected = scratch.takeDoubles((long) stacked * size);
    for (int example = first; example < last; example += stacked) {
      int count = Math.min(stacked, last - example);
      formGradients(example, count, projectG ? qg : null, projectA ? qa : null, gradients, scratch);
      Doubles result = gradients;
      if (aBasis != null && !projectA) {
        multiply(false, count * g.dim, a.dim, Wide.of(result, a.dim), qa, projected, scratch);
        result = projected;
      }
      if (gBasis != null && !projectG) {
        Doubles other = result == gradients ? projected : gradients;
        for (int i = 0; i < count; i++) {
          long at = (long) i * size;
          Wide one = Wide.of(result.plus(at), a.dim);
          multiply(true, g.dim, g.dim, qg, one, other.plus(at), scratch);
        }
        result = other;
      }
      for (int i = 0; i < count; i++) {
        addSquares(size, weight, result.plus((long) i * size), sum);
      }
    }
  }

  private static Wide expanded(Wide basis, int dim, Arena scratch) {
    boolean fits = basis != null && (long) dim * dim <= MAX_BASIS;
    return fits ? basis.block(0, 0, dim, dim, scratch) : basis;
  }

  /** {@code C = op(X) Y}, C and Y as wide as the rows of a. */
  private void multiply(
      boolean transpose, int rows, int depth, Wide x, Wide y, Doubles c, Arena scratch) {
    run(new WideGemm(transpose, false, rows, a.dim, depth, 1, x, y, c, a.dim), scratch);
  }

  private static void run(WideGemm product, Arena scratch) {
    for (int tile = 0; tile < product.tiles(); tile++) {
      product.run(tile, scratch);
    }
  }

  private int widest() {
    return Math.max(g.dim, a.dim);
  }

  /** The gradients {@code g'a} of some examples, of projected samples where that is cheaper. */
  private void formGradients(
      int example, int count, Wide qg, Wide qa, Doubles gradients, Arena scratch) {
    // an example whose panel is too large is added piece by piece
    int step = count > 1 ? positions : SampleMatrix.gatheredStep(positions, 0, widest());
    for (int from = 0; from < positions; from += step) {
      int length = Math.min(step, positions - from);
      int rows = count > 1 ? count * positions : length;
      long row = (long) example * positions + from;
      long mark = scratch.mark();
      WidePanel left = load(g, row, rows, qg, scratch);
      WidePanel right = load(a, row, rows, qa, scratch);
      for (int i = 0; i < count; i++) {
        left.part(i * positions, length)
            .timesTransposed(
                right.part(i * positions, length),
                from == 0 ? 0 : 1,
                gradients.plus((long) i * g.dim * a.dim),
                a.dim);
      }
      scratch.reset(mark);
    }
  }

  private WidePanel load(SampleMatrix x, long row, int count, Wide basis, Arena scratch) {
    Panel panel = x.load(group, row, count, 0, x.dim, scratch);
    if (basis == null) {
      return panel.widen(scratch);
    }
    Doubles projected = scratch.takeDoubles((long) count * x.dim);
    Wide samples = Wide.of(panel.data(), panel.stride());
    run(
        new WideGemm(
            panel.byCoordinate(), false, count, x.dim, x.dim, 1, samples, basis, projected, x.dim),
        scratch);
    return new WidePanel(projected, x.dim, false, count, x.dim);
  }

  private static void addSquares(int size, double weight, Doubles x, Floats sum) {
    for (int i = 0; i < size; i++) {
      double value = x.get(i);
      sum.put(i, (float) (weight * value * value + sum.get(i)));
    }
  }
}
