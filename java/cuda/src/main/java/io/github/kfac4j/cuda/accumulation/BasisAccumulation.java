package io.github.kfac4j.cuda.accumulation;

import io.github.kfac4j.backend.BasisAccumulateRequest;
import io.github.kfac4j.cuda.calls.Call;
import io.github.kfac4j.cuda.calls.Conversion;
import io.github.kfac4j.cuda.calls.Conversion.PitchedPointer;
import io.github.kfac4j.cuda.calls.CudaMatrixStack;
import io.github.kfac4j.cuda.calls.Verb;
import io.github.kfac4j.cuda.context.Address;
import io.github.kfac4j.cuda.context.CudaContext;
import io.github.kfac4j.cuda.matrix.BasisColumns;
import io.github.kfac4j.cuda.matrix.Gemm;
import io.github.kfac4j.cuda.matrix.Gemm.Matrices;
import io.github.kfac4j.samples.JointSamples;
import io.github.kfac4j.samples.Samples;
import java.util.List;

/**
 * Second moments of per-example gradients in a Kronecker basis: {@code M = decay M + weight sum
 * over examples of (Qg' (g'a) Qa)^2}, in fp64. Rows are written out for as many examples at a time
 * as fit into a fixed amount of memory. A basis is applied to the rows or to the gradients,
 * whichever takes fewer operations.
 */
public final class BasisAccumulation {
  /** The most bytes of rows and gradients at a time. */
  private static final long MAX_BYTES = 1L << 28;

  private final Call call;
  private final Gemm gemm;
  private final Conversion conversion;
  private final BasisAccumulateRequest moment;
  private final CudaMatrixStack target;
  private final int positions;
  private final int rows;
  private final int cols;
  private final boolean projectG;
  private final boolean projectA;

  /** Examples at a time. */
  private final int chunk;

  private final long floats;
  private final long gBasis;
  private final long aBasis;
  private final long gRows;
  private final long aRows;
  private final long gProjected;
  private final long aProjected;
  private final long x;
  private final long y;

  private BasisAccumulation(BasisAccumulateRequest moment, Call call) {
    this.call = call;
    this.gemm = new Gemm(call.context());
    this.conversion = new Conversion(call);
    this.moment = moment;
    this.target = call.stack(moment.target());
    this.positions = moment.g().positions();
    this.rows = target.rows();
    this.cols = target.cols();
    this.projectG = moment.gBasis() != null && positions < cols;
    this.projectA = moment.aBasis() != null && positions < rows;
    long g = (long) positions * rows * Double.BYTES;
    long a = (long) positions * cols * Double.BYTES;
    long gradient = (long) rows * cols * Double.BYTES;
    int groups = target.count();
    long written = groups * Math.max(g, a) / 2; // in fp32
    long fit = MAX_BYTES / (written + (groups + 1) * (g + a) + 2 * gradient);
    this.chunk = (int) Math.max(1, Math.min(moment.g().examples(), fit));
    this.floats = call.take(chunk * written);
    this.gRows = call.take(chunk * groups * g);
    this.aRows = call.take(chunk * groups * a);
    this.gProjected = projectG ? call.take(chunk * g) : 0;
    this.aProjected = projectA ? call.take(chunk * a) : 0;
    this.x = call.take(chunk * gradient);
    this.y = call.take(chunk * gradient);
    this.gBasis = moment.gBasis() == null ? 0 : BasisColumns.of(moment.gBasis(), call);
    this.aBasis = moment.aBasis() == null ? 0 : BasisColumns.of(moment.aBasis(), call);
  }

  /**
   * Updates all.
   *
   * @throws UnsupportedOperationException if there are joint samples; then nothing is changed
   */
  public static void run(List<BasisAccumulateRequest> moments, CudaContext context) {
    for (BasisAccumulateRequest moment : moments) {
      if (moment.a() instanceof JointSamples) {
        throw new UnsupportedOperationException("a convolution that is used several times");
      }
    }
    context.enter();
    for (BasisAccumulateRequest moment : moments) {
      try (Call call = new Call(context)) {
        new BasisAccumulation(moment, call).run();
        call.finish();
      }
    }
  }

  private void run() {
    int examples = moment.g().examples();
    double decay = moment.decay();
    if (examples == 0) {
      for (int k = 0; k < target.count(); k++) {
        addSquares(x, 0, k, decay);
      }
    }
    for (int first = 0; first < examples; first += chunk) {
      int count = Math.min(chunk, examples - first);
      write(moment.g(), first, count, gRows);
      write(moment.a(), first, count, aRows);
      for (int k = 0; k < target.count(); k++) {
        addSquares(gradients(k, count), count, k, first == 0 ? decay : 1);
      }
    }
  }

  /** Writes rows out as {@code [groups, count * positions, dim]}. */
  private void write(Samples samples, int first, int count, long to) {
    String shape =
        "%d x %d rows of %d".formatted(samples.groups(), count * positions, samples.dim());
    Patches.write(samples, first, count, Address.floats(floats), shape, call);
    long size = (long) samples.groups() * count * positions * samples.dim();
    conversion.copy(PitchedPointer.floats(floats, size), PitchedPointer.doubles(to, size), 1, size);
  }

  /** The gradients of some examples in the basis of group {@code k}; returns where they are. */
  private long gradients(int k, int count) {
    long g = gRows + (long) k * count * positions * rows * Double.BYTES;
    long a = aRows + (long) k * count * positions * cols * Double.BYTES;
    if (projectG) {
      g = project(g, count * positions, basis(gBasis, k, rows), gProjected);
    }
    if (projectA) {
      a = project(a, count * positions, basis(aBasis, k, cols), aProjected);
    }
    Matrices left = Matrices.of(g, positions, rows).transpose();
    long from = x;
    long to = y;
    gemm.multiply(left, Matrices.of(a, positions, cols), from, count);
    if (moment.gBasis() != null && !projectG) {
      Matrices q = basis(gBasis, k, rows).transpose().shared();
      gemm.multiply(q, Matrices.of(from, rows, cols), to, count);
      from = y;
      to = x;
    }
    if (moment.aBasis() != null && !projectA) {
      Matrices all = Matrices.of(from, count * rows, cols);
      gemm.multiply(all, basis(aBasis, k, cols), to, 1);
      from = to;
    }
    return from;
  }

  /** {@code to = rows Q}. */
  private long project(long from, int count, Matrices q, long to) {
    gemm.multiply(Matrices.of(from, count, q.rows()), q, to, 1);
    return to;
  }

  private static Matrices basis(long stack, int k, int n) {
    return Matrices.of(stack + (long) k * n * n * Double.BYTES, n, n);
  }

  private void addSquares(long gradients, int count, int k, double decay) {
    call.run(
        Verb.SQUARES,
        "%d gradients of %d x %d".formatted(count, rows, cols),
        1,
        (request, i) ->
            request
                .x(Address.doubles(gradients))
                .y(target.pointer().getPointer((long) k * rows * cols))
                .terms(count)
                .size((long) rows * cols)
                .weight((float) moment.weight())
                .decay((float) decay));
  }
}
