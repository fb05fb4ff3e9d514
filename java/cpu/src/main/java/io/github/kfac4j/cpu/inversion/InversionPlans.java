package io.github.kfac4j.cpu.inversion;

import io.github.kfac4j.backend.InvertRequest;
import io.github.kfac4j.backend.Status;
import io.github.kfac4j.cpu.matrix.CpuMatrixStack;
import io.github.kfac4j.cpu.memory.Arena;
import io.github.kfac4j.cpu.memory.Floats;
import io.github.kfac4j.cpu.scheduling.Plan;
import java.util.ArrayList;
import java.util.List;

/**
 * The plans of some damped inverses. A matrix that would keep one thread busy for longer than its
 * share of the whole work is split; the others are one thread's each. The bits are the same.
 */
public final class InversionPlans implements AutoCloseable {
  private record Split(
      SplitInverse plan,
      Floats inverse,
      DampedMatrix matrix,
      Status[] statuses,
      boolean[] certain,
      int index) {}

  private final List<Status[]> statuses = new ArrayList<>();
  private final List<boolean[]> certain = new ArrayList<>();
  private final List<Split> split = new ArrayList<>();
  private final List<Plan> whole = new ArrayList<>();

  /** For a number of threads, by libkfac_cpu if {@code own}; plans share memory of the arena. */
  public InversionPlans(List<InvertRequest> inversions, int threads, boolean own, Arena memory) {
    double total = 0;
    for (InvertRequest inversion : inversions) {
      CpuMatrixStack.of(inversion.inverse());
      total += CpuMatrixStack.of(inversion.source()).count() * cube(inversion);
    }
    for (InvertRequest inversion : inversions) {
      Status[] status = new Status[inversion.source().count()];
      statuses.add(status);
      boolean[] needNoTest = new boolean[status.length];
      certain.add(needNoTest);
      boolean large = inversion.source().rows() >= SplitInverse.MIN;
      if (!own) {
        addLapack(inversion, status, needNoTest);
      } else if (large && threads * cube(inversion) > total) {
        addSplit(inversion, status, needNoTest, memory);
      } else {
        whole.add(new StackInverse(inversion, status, needNoTest));
      }
    }
  }

  private static double cube(InvertRequest inversion) {
    return Math.pow(inversion.source().rows(), 3);
  }

  static DampedMatrix damped(InvertRequest inversion, int k) {
    CpuMatrixStack source = CpuMatrixStack.of(inversion.source());
    return new DampedMatrix(
        source.matrix(k), source.rows(), inversion.scale(), inversion.damping()[k]);
  }

  private void addLapack(InvertRequest inversion, Status[] status, boolean[] needNoTest) {
    CpuMatrixStack inverse = CpuMatrixStack.of(inversion.inverse());
    for (int k = 0; k < status.length; k++) {
      int index = k;
      DampedMatrix matrix = damped(inversion, k);
      whole.add(
          Plan.of(
              cube(inversion),
              s -> {
                status[index] = LapackInverse.invert(matrix, inverse.matrix(index), s);
                needNoTest[index] = matrix.certain(inverse.matrix(index));
              }));
    }
  }

  private void addSplit(
      InvertRequest inversion, Status[] status, boolean[] needNoTest, Arena memory) {
    CpuMatrixStack inverse = CpuMatrixStack.of(inversion.inverse());
    for (int k = 0; k < status.length; k++) {
      DampedMatrix matrix = damped(inversion, k);
      SplitInverse plan = new SplitInverse(matrix, inverse.matrix(k));
      split.add(new Split(plan, inverse.matrix(k), matrix, status, needNoTest, k));
      plan.take(memory);
    }
  }

  public List<Plan> plans() {
    List<Plan> all = new ArrayList<>();
    split.forEach(s -> all.add(s.plan));
    all.addAll(whole);
    return all;
  }

  /** How each inversion ended, once the plans have run. */
  public List<Status[]> statuses() {
    for (Split s : split) {
      s.statuses[s.index] = s.plan.status();
      s.certain[s.index] = s.matrix.certain(s.inverse);
    }
    return statuses;
  }

  /** Which inverses need no test, once {@link #statuses} has been asked. */
  public List<boolean[]> certain() {
    return certain;
  }

  @Override
  public void close() {
    split.forEach(s -> s.plan.close());
  }
}
