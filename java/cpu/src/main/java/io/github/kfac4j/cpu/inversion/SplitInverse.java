package io.github.kfac4j.cpu.inversion;

import io.github.kfac4j.backend.Status;
import io.github.kfac4j.cpu.memory.Floats;
import io.github.kfac4j.cpu.natives.KfacCpu;
import io.github.kfac4j.cpu.natives.NativePlan;

/** The damped inverse of one matrix by libkfac_cpu, shared out among the threads. */
final class SplitInverse extends NativePlan {
  /**
   * Smaller matrices gained nothing on two threads: what one has written the other must fetch, and
   * at n = 256 that takes almost as long as half the work.
   */
  static final int MIN = 352;

  private final DampedMatrix matrix;
  private final Floats inverse;

  SplitInverse(DampedMatrix matrix, Floats inverse) {
    super(
        KfacCpu.kfac_cpu_invert_plan(
            matrix.n(),
            matrix.source().address(),
            matrix.scale(),
            matrix.damping(),
            inverse.address()));
    this.matrix = matrix;
    this.inverse = inverse;
  }

  @Override
  public double work() {
    return Math.pow(matrix.n(), 3);
  }

  /** Its outcome. */
  Status status() {
    return StackInverse.status(failure());
  }
}
