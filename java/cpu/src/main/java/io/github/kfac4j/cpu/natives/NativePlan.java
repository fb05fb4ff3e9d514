package io.github.kfac4j.cpu.natives;

import io.github.kfac4j.cpu.memory.Arena;
import io.github.kfac4j.cpu.memory.Floats;
import io.github.kfac4j.cpu.scheduling.Plan;

/** A plan of libkfac_cpu, to be closed. */
public abstract class NativePlan implements Plan, AutoCloseable {
  private final int phases;
  private final long sharedFloats;
  private final long scratchFloats;
  private long plan;
  private Floats shared;

  /** Takes over the plan at an address. */
  public NativePlan(long plan) {
    this.plan = plan;
    this.phases = KfacCpu.kfac_cpu_plan_phases(plan);
    this.sharedFloats = KfacCpu.kfac_cpu_plan_shared(plan);
    this.scratchFloats = KfacCpu.kfac_cpu_plan_scratch(plan);
  }

  /** Floats of {@link #take}. */
  public final long sharedFloats() {
    return sharedFloats;
  }

  /** Takes the memory that all tasks share. */
  public final void take(Arena arena) {
    shared = arena.take(sharedFloats);
  }

  /** 0, or what kfac_cpu.h says of a plan that failed. */
  public final int failure() {
    return KfacCpu.kfac_cpu_plan_status(plan);
  }

  @Override
  public final int phases() {
    return phases;
  }

  @Override
  public final int tasks(int phase) {
    return KfacCpu.kfac_cpu_plan_tasks(plan, phase);
  }

  @Override
  public final long scratchFloats() {
    return scratchFloats;
  }

  @Override
  public final void run(int phase, int task, Arena scratch) {
    long own = scratch.takeAddress(scratchFloats);
    KfacCpu.kfac_cpu_plan_run(plan, phase, task, shared.address(), own);
  }

  @Override
  public final void close() {
    if (plan != 0) {
      KfacCpu.kfac_cpu_plan_free(plan);
      plan = 0;
    }
  }
}
