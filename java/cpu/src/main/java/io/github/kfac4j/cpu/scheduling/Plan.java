package io.github.kfac4j.cpu.scheduling;

import io.github.kfac4j.cpu.memory.Arena;

/**
 * The work of one request, cut into phases: the tasks of one phase are independent of each other, a
 * phase begins when the one before has ended. The cut depends on shapes alone, never on the number
 * of threads, so that results are the same bits on any machine.
 */
public interface Plan {
  /** The number of phases. */
  int phases();

  /** The number of tasks in a phase, known from the start. */
  int tasks(int phase);

  /** Runs one task with a thread's own scratch memory. */
  void run(int phase, int task, Arena scratch);

  /**
   * Floats of scratch memory that a task is known to need; a thread then has them from the start.
   */
  default long scratchFloats() {
    return 0;
  }

  /** About how many multiplications it takes: larger plans are begun first. */
  default double work() {
    return 0;
  }

  /** Whether tasks call LAPACK, which needs more stack than the caller's thread may have. */
  default boolean deepStack() {
    return false;
  }

  /** A plan of one phase with one task, which may call LAPACK. */
  static Plan of(double work, java.util.function.Consumer<Arena> task) {
    return new Plan() {
      @Override
      public int phases() {
        return 1;
      }

      @Override
      public int tasks(int phase) {
        return 1;
      }

      @Override
      public double work() {
        return work;
      }

      @Override
      public boolean deepStack() {
        return true;
      }

      @Override
      public void run(int phase, int index, Arena scratch) {
        task.accept(scratch);
      }
    };
  }
}
