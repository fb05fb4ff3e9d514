package io.github.kfac4j.cpu.accumulation;

import io.github.kfac4j.backend.AccumulateRequest;
import io.github.kfac4j.cpu.matrix.Matrices;
import io.github.kfac4j.cpu.memory.Arena;
import io.github.kfac4j.cpu.memory.Doubles;
import io.github.kfac4j.cpu.memory.Floats;
import io.github.kfac4j.cpu.samples.Panel;
import io.github.kfac4j.cpu.samples.SampleMatrix;
import io.github.kfac4j.cpu.samples.WidePanel;
import io.github.kfac4j.cpu.scheduling.Plan;
import io.github.kfac4j.cpu.scheduling.Turns;
import java.nio.DoubleBuffer;
import java.nio.FloatBuffer;

/**
 * The second moment of one group, summed in fp64 and rounded once: the sums of fp32 lose digits in
 * the same direction where samples are alike, and what they lose becomes part of a null space. A
 * wide moment is cut into tiles, each a task of its own; a narrow one of many rows is cut into
 * slices of rows, whose sums are added in order.
 */
final class MomentPlan implements Plan {
  /** Multiplications below which a slice does not pay. */
  private static final double SLICE_WORK = 1e8;

  /** Multiplications that take as long as to read or gather an element. */
  private static final double READ_WORK = 100;

  private static final int MAX_SLICES = 16;

  /** Elements that the partial sums of all slices may have. */
  private static final int MAX_PARTIALS = 1 << 22;

  /** Elements of a panel that are fp64 at a time. */
  private static final int WIDENED = 1 << 17;

  private final SampleMatrix samples;
  private final Floats target;
  private final int group;
  private final double decay;
  private final double weight;
  private final int dim;
  private final int side;
  private final int tiles;
  private final int slices;
  private final Turns turns = new Turns();

  /** The sum of all slices, if there are several. */
  private final Doubles total;

  MomentPlan(
      AccumulateRequest moment, SampleMatrix samples, Floats target, int group, Arena shared) {
    this.samples = samples;
    this.target = target;
    this.group = group;
    this.decay = moment.decay();
    this.weight = moment.weight();
    this.dim = samples.dim;
    this.tiles = (dim + samples.tile() - 1) / samples.tile();
    this.side = (dim + tiles - 1) / tiles;
    this.slices = tiles > 1 ? 1 : slices(samples.rows, dim);
    this.total = slices > 1 ? shared.takeDoubles((long) dim * dim) : null;
  }

  private static int slices(long rows, int dim) {
    double byWork = work(rows, dim) / SLICE_WORK;
    double byMemory = MAX_PARTIALS / ((double) dim * dim);
    return (int) Math.max(1, Math.min(Math.min(MAX_SLICES, rows), Math.min(byWork, byMemory)));
  }

  private static double work(long rows, int dim) {
    return (double) rows * dim * (dim + READ_WORK);
  }

  /** Floats that a plan shares between its tasks, at most. */
  static long sharedFloats(SampleMatrix samples) {
    return samples.dim > samples.tile() ? 0 : 2L * samples.dim * samples.dim;
  }

  @Override
  public int phases() {
    return 1;
  }

  @Override
  public int tasks(int phase) {
    return tiles > 1 ? tiles * (tiles + 1) / 2 : slices;
  }

  @Override
  public double work() {
    return work(samples.rows, dim);
  }

  @Override
  public void run(int phase, int task, Arena scratch) {
    if (slices > 1) {
      slice(task, scratch);
      return;
    }
    int row = 0;
    int column = task;
    while (column > row) {
      row++;
      column -= row;
    }
    int i = row * side;
    int j = column * side;
    Doubles sum = scratch.takeDoubles((long) side * side);
    add(0, samples.rows, i, j, sum, scratch);
    finish(i, j, sum);
  }

  private void slice(int slice, Arena scratch) {
    long first = samples.rows * slice / slices;
    long last = samples.rows * (slice + 1) / slices;
    try {
      if (slice == 0) {
        add(first, last, 0, 0, total, scratch);
        return;
      }
      Doubles partial = scratch.takeDoubles((long) dim * dim);
      add(first, last, 0, 0, partial, scratch);
      turns.take(slice, () -> addLower(partial));
      if (slice == slices - 1) {
        finish(0, 0, total);
      }
    } finally {
      turns.end(slice);
    }
  }

  private void addLower(Doubles partial) {
    for (int i = 0; i < dim; i++) {
      for (int at = i * dim; at <= i * dim + i; at++) {
        total.put(at, total.get(at) + partial.get(at));
      }
    }
  }

  /** {@code C = X_I' X_J} over rows [first, last), panel by panel. */
  private void add(long first, long last, int i, int j, Doubles c, Arena scratch) {
    int iEnd = Math.min(dim, i + side);
    int jEnd = Math.min(dim, j + side);
    for (long row = first; row < last; ) {
      int count =
          Math.min(samples.step(row, last - row, i, iEnd), samples.step(row, last - row, j, jEnd));
      long mark = scratch.mark();
      Panel left = samples.load(group, row, count, i, iEnd, scratch);
      Panel right = i == j ? left : samples.load(group, row, count, j, jEnd, scratch);
      int step = Math.max(1, WIDENED / side);
      for (int done = 0; done < count; done += step) {
        int length = Math.min(step, count - done);
        double beta = row == first && done == 0 ? 0 : 1;
        long inner = scratch.mark();
        WidePanel x = left.part(done, length).widen(scratch);
        if (i == j) {
          x.square(beta, c, side);
        } else {
          x.timesTransposed(right.part(done, length).widen(scratch), beta, c, side);
        }
        scratch.reset(inner);
      }
      scratch.reset(mark);
      row += count;
    }
  }

  private void update(Doubles sum, int first, Floats c, int at, int length) {
    DoubleBuffer from = sum.buffer();
    FloatBuffer to = c.buffer();
    int source = sum.start() + first;
    int target = c.start() + at;
    for (int k = 0; k < length; k++) {
      double fresh = weight * from.get(source + k);
      double old = decay == 0 ? 0 : decay * to.get(target + k);
      to.put(target + k, (float) (old + fresh));
    }
  }

  /** Updates a tile of the target, of a lower triangle if it is on the diagonal, and its mirror. */
  private void finish(int i, int j, Doubles sum) {
    Floats c = target.plus((long) i * dim + j);
    int height = Math.min(side, dim - i);
    for (int r = 0; r < height; r++) {
      int width = i == j ? r + 1 : side; // tiles left of the diagonal are whole
      update(sum, r * side, c, r * dim, width);
    }
    if (i == j) {
      Matrices.mirrorLower(c, height, dim);
    } else {
      Matrices.transpose(c, dim, height, side, target.plus((long) j * dim + i), dim);
    }
  }
}
