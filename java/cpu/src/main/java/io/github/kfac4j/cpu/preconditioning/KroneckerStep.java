package io.github.kfac4j.cpu.preconditioning;

import io.github.kfac4j.backend.StepAccuracy;
import io.github.kfac4j.cpu.memory.Arena;
import io.github.kfac4j.cpu.scheduling.Plan;

/**
 * Preconditioning of one gradient by two inverses. To be run in turn: {@link #forward}, {@link
 * #again} if {@link #lossy}, {@link #finish}.
 */
public interface KroneckerStep {
  /** U in fp32. */
  Plan forward();

  /** Whether fp32 lost too much, by {@link StepAccuracy}, once {@link #forward} has run. */
  boolean lossy();

  /** U in fp64, rounded once. */
  Plan again(Arena shared);

  /** Hands U over where it was not formed in place. */
  Plan finish();

  /** The inner product of U and dW, once everything has run. */
  double inner();
}
