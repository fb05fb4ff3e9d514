package io.github.kfac4j.cpu;

import io.github.kfac4j.backend.Moment;

/**
 * The second moment of one group. A wide one is cut into tiles, each a task of its own; a narrow
 * one of many rows is cut into slices of rows, whose sums are added in order.
 */
final class MomentPlan implements Plan {
  /** Multiplications below which a slice does not pay. */
  private static final double SLICE_WORK = 1e8;

  /** Multiplications that take as long as to read or gather an element. */
  private static final double READ_WORK = 100;

  private static final int MAX_SLICES = 16;

  /** Elements that the partial sums of all slices may have. */
  private static final int MAX_PARTIALS = 1 << 22;

  private final SampleMatrix samples;
  private final Floats target;
  private final int group;
  private final float decay;
  private final float weight;
  private final int dim;
  private final int side;
  private final int tiles;
  private final int slices;
  private final Turns turns = new Turns();

  MomentPlan(Moment moment, SampleMatrix samples, Floats target, int group) {
    this.samples = samples;
    this.target = target;
    this.group = group;
    this.decay = (float) moment.decay();
    this.weight = (float) moment.weight();
    this.dim = samples.dim;
    this.tiles = (dim + samples.tile() - 1) / samples.tile();
    this.side = (dim + tiles - 1) / tiles;
    this.slices = tiles > 1 ? 1 : slices(samples.rows, dim);
  }

  private static int slices(long rows, int dim) {
    double byWork = work(rows, dim) / SLICE_WORK;
    double byMemory = MAX_PARTIALS / ((double) dim * dim);
    return (int) Math.max(1, Math.min(Math.min(MAX_SLICES, rows), Math.min(byWork, byMemory)));
  }

  private static double work(long rows, int dim) {
    return (double) rows * dim * (dim / 2 + READ_WORK);
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
    tile(row * side, column * side, scratch);
  }

  private void tile(int i, int j, Arena scratch) {
    Floats c = target.plus((long) i * dim + j);
    int height = Math.min(side, dim - i);
    add(0, samples.rows, i, j, weight, decay, c, scratch);
    if (i == j) {
      Matrices.mirrorLower(c, height, dim);
    } else {
      Matrices.transpose(c, dim, height, side, target.plus((long) j * dim + i), dim);
    }
  }

  private void slice(int slice, Arena scratch) {
    long first = samples.rows * slice / slices;
    long last = samples.rows * (slice + 1) / slices;
    try {
      if (slice == 0) {
        add(first, last, 0, 0, weight, decay, target, scratch);
        return;
      }
      Floats partial = scratch.take((long) dim * dim);
      add(first, last, 0, 0, weight, 0, partial, scratch);
      turns.take(slice, () -> addLower(partial));
      if (slice == slices - 1) {
        Matrices.mirrorLower(target, dim, dim);
      }
    } finally {
      turns.end(slice);
    }
  }

  private void addLower(Floats partial) {
    for (int i = 0; i < dim; i++) {
      Blas.axpy(i + 1, 1, partial.plus((long) i * dim), target.plus((long) i * dim));
    }
  }

  /** {@code C = beta C + alpha X_I' X_J} over rows [first, last), panel by panel. */
  private void add(
      long first, long last, int i, int j, float alpha, float beta, Floats c, Arena scratch) {
    int iEnd = Math.min(dim, i + side);
    int jEnd = Math.min(dim, j + side);
    float scale = beta;
    for (long row = first; row < last; ) {
      int count =
          Math.min(samples.step(row, last - row, i, iEnd), samples.step(row, last - row, j, jEnd));
      long mark = scratch.mark();
      Panel left = samples.load(group, row, count, i, iEnd, scratch);
      if (i == j) {
        left.square(alpha, scale, c, dim);
      } else {
        Panel right = samples.load(group, row, count, j, jEnd, scratch);
        left.timesTransposed(right, alpha, scale, c, dim);
      }
      scratch.reset(mark);
      scale = 1;
      row += count;
    }
  }
}
