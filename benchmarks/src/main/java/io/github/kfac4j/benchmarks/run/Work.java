package io.github.kfac4j.benchmarks.run;

import java.util.Map;

/** A case made ready for one contender. */
public interface Work extends AutoCloseable {
  /** Does it once; the result is complete when the call returns. */
  void run();

  /** Seconds that {@code calls} runs take. */
  default double seconds(int calls) {
    long start = System.nanoTime();
    for (int i = 0; i < calls; i++) {
      run();
    }
    return (System.nanoTime() - start) * 1e-9;
  }

  /**
   * One matrix of the result, row-major and, where it is symmetric, whole: the factor or patches
   * (index 0), the inverse of a matrix, the preconditioned gradient of a layer with the bias as its
   * last column.
   */
  float[] result(int index);

  /** How much of the case one run does; less than 1 for those that would take minutes. */
  default double share() {
    return 1;
  }

  /**
   * Whether {@link #result} follows the library's convention, so that the reference can judge it.
   */
  default boolean checkable() {
    return true;
  }

  /** Seconds of the parts of the last run, by verb; empty if it has no parts. */
  default Map<String, Double> parts() {
    return Map.of();
  }

  /** The share of all cores' time that the process used during the last run, or null. */
  default Double coresBusy() {
    return null;
  }

  @Override
  default void close() {}
}
