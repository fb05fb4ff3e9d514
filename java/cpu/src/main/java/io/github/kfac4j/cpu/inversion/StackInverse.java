package io.github.kfac4j.cpu.inversion;

import io.github.kfac4j.backend.InvertRequest;
import io.github.kfac4j.backend.Status;
import io.github.kfac4j.cpu.matrix.CpuMatrixStack;
import io.github.kfac4j.cpu.memory.Arena;
import io.github.kfac4j.cpu.natives.KfacCpu;
import io.github.kfac4j.cpu.scheduling.Plan;
import java.util.Arrays;

/** The damped inverses of one stack by libkfac_cpu, some matrices a task. */
final class StackInverse implements Plan {
  /** Multiplications that one task takes on, if its matrices are small. */
  private static final long WORK = 1 << 20;

  private final CpuMatrixStack source;
  private final CpuMatrixStack inverse;
  private final InvertRequest request;
  private final Status[] statuses;
  private final boolean[] certain;
  private final int n;
  private final int chunk;

  /**
   * The results go to {@code statuses}, one for each matrix, and to {@code certain} which inverses
   * need no test: seen here, where their diagonals are in the cache, it costs next to nothing.
   */
  StackInverse(InvertRequest request, Status[] statuses, boolean[] certain) {
    this.source = CpuMatrixStack.of(request.source());
    this.inverse = CpuMatrixStack.of(request.inverse());
    this.request = request;
    this.statuses = statuses;
    this.certain = certain;
    this.n = source.rows();
    int lanes = KfacCpu.kfac_cpu_lanes(n);
    this.chunk = (int) Math.max(1, WORK / ((long) n * n * n) / lanes) * lanes;
  }

  @Override
  public int phases() {
    return 1;
  }

  @Override
  public int tasks(int phase) {
    return (statuses.length + chunk - 1) / chunk;
  }

  @Override
  public double work() {
    return statuses.length * Math.pow(n, 3);
  }

  @Override
  public long scratchFloats() {
    return KfacCpu.kfac_cpu_invert_floats(n);
  }

  @Override
  public void run(int phase, int task, Arena scratch) {
    int first = task * chunk;
    int count = Math.min(chunk, statuses.length - first);
    long[] from = new long[count];
    long[] to = new long[count];
    double[] scale = new double[count];
    Arrays.fill(scale, request.scale());
    for (int k = 0; k < count; k++) {
      from[k] = source.matrix(first + k).address();
      to[k] = inverse.matrix(first + k).address();
    }
    double[] damping = Arrays.copyOfRange(request.damping(), first, first + count);
    int[] status = new int[count];
    long work = scratch.takeAddress(scratchFloats());
    KfacCpu.kfac_cpu_invert(n, count, from, scale, damping, to, status, work);
    for (int k = 0; k < count; k++) {
      int at = first + k;
      statuses[at] = status(status[k]);
      certain[at] = InversionPlans.damped(request, at).certain(inverse.matrix(at));
    }
  }

  /** What a status of libkfac_cpu means. */
  static Status status(int status) {
    return status == 0
        ? Status.OK
        : status < 0 ? Status.NOT_FINITE : Status.notPositiveDefinite(status - 1);
  }
}
