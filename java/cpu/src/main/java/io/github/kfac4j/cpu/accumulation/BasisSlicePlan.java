package io.github.kfac4j.cpu.accumulation;

import io.github.kfac4j.backend.BasisAccumulateRequest;
import io.github.kfac4j.cpu.matrix.BasisMatrix;
import io.github.kfac4j.cpu.matrix.CpuMatrixStack;
import io.github.kfac4j.cpu.matrix.WideRotation;
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
  private final WideRotation gBasis;
  private final WideRotation aBasis;
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
    this.gBasis = WideRotation.of(BasisMatrix.of(moment.gBasis(), group));
    this.aBasis = WideRotation.of(BasisMatrix.of(moment.aBasis(), group));
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
    long panels = SampleMatrix.PANEL_LIMIT / ((long) positions * widest());
    stacked = (int) Math.max(1, Math.min(stacked, panels));
    WideRotation qg = gBasis == null ? null : gBasis.expanded(MAX_BASIS, scratch);
    WideRotation qa = aBasis == null ? null : aBasis.expanded(MAX_BASIS, scratch);
    Doubles gradients = scratch.takeDoubles((long) stacked * size);
    Doubles projected = scratch.takeDoubles((long) stacked * size);
    for (int example = first; example < last; example += stacked) {
      int count = Math.min(stacked, last - example);
      formGradients(example, count, projectG ? qg : null, projectA ? qa : null, gradients, scratch);
      Doubles result = gradients;
      if (aBasis != null && !projectA) {
        result = qa.right(count * g.dim, result, projected, scratch);
      }
      if (gBasis != null && !projectG) {
        Doubles other = result == gradients ? projected : gradients;
        Doubles inG = result;
        for (int i = 0; i < count; i++) {
          long at = (long) i * size;
          Doubles one = inG.plus(at);
          boolean inPlace = qg.leftTransposed(a.dim, one, other.plus(at), scratch) == one;
          result = inPlace ? inG : other;
        }
      }
      for (int i = 0; i < count; i++) {
        addSquares(size, weight, result.plus((long) i * size), sum);
      }
    }
  }

  private int widest() {
    return Math.max(g.dim, a.dim);
  }

  /** The gradients {@code g'a} of some examples, of projected samples where that is cheaper. */
  private void formGradients(
      int example, int count, WideRotation qg, WideRotation qa, Doubles gradients, Arena scratch) {
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

  private WidePanel load(SampleMatrix x, long row, int count, WideRotation basis, Arena scratch) {
    Panel panel = x.load(group, row, count, 0, x.dim, scratch);
    if (basis == null) {
      return panel.widen(scratch);
    }
    Doubles rows = panel.rows(scratch);
    Doubles room = basis.second() == null ? scratch.takeDoubles((long) count * x.dim) : rows;
    return new WidePanel(basis.right(count, rows, room, scratch), x.dim, false, count, x.dim);
  }

  private static void addSquares(int size, double weight, Doubles x, Floats sum) {
    for (int i = 0; i < size; i++) {
      double value = x.get(i);
      sum.put(i, (float) (weight * value * value + sum.get(i)));
    }
  }
}
