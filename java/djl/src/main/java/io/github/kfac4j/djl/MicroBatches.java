package io.github.kfac4j.djl;

import ai.djl.ndarray.NDArray;
import ai.djl.nn.Parameter;
import java.util.List;

/**
 * The micro-batches of a step, each of which counts by its examples. How many examples they have
 * together is known after the last one, so shares are kept as if those to come were like the last.
 */
final class MicroBatches {
  private final List<Parameter> parameters;
  private int count = 1;
  private int passes;
  private long examples;
  private long last;

  /** Micro-batches of a model with these parameters. */
  MicroBatches(List<Parameter> parameters) {
    this.parameters = parameters;
  }

  void setCount(int value) {
    count = value;
  }

  /** Whether factors and gradients become means over passes. */
  boolean several() {
    return count > 1;
  }

  /** Passes of the step so far. */
  int passes() {
    return passes;
  }

  /** The pass among all of a training, for random numbers. */
  long index(long step) {
    return Math.multiplyExact(step, count) + passes - 1;
  }

  /**
   * Refuses one more pass than a step has.
   *
   * @throws IllegalStateException if there were all
   */
  void requireNext() {
    if (several() && passes == count) {
      throw new IllegalStateException(
          ("a step has %d micro-batches, but this would be one more: call precondition(), or"
                  + " discardStep() to drop it")
              .formatted(count));
    }
  }

  /**
   * Counts a pass that begins. The gradients that have added up so far are weighed against those to
   * come.
   *
   * @return what the shares of the passes before must be multiplied by
   */
  double begin(Pass pass) {
    double before = estimate();
    boolean equal = passes == 0 || pass.examples() == last;
    if (several() && !equal) {
      multiply(pass, (double) last / pass.examples());
    }
    passes++;
    examples += pass.examples();
    last = pass.examples();
    return equal ? 1 : before / estimate();
  }

  private double estimate() {
    return examples + (double) (count - passes) * last;
  }

  /** The last pass's share of the step. */
  double share() {
    return several() ? last / estimate() : 1;
  }

  /**
   * Refuses fewer passes than a step has.
   *
   * @throws IllegalStateException if there were not all
   */
  void requireAll() {
    if (several() && passes != count) {
      throw new IllegalStateException(
          ("a step has %d micro-batches, but there were %d passes: run the others, or call"
                  + " discardStep() to drop it")
              .formatted(count, passes));
    }
  }

  /** Makes the gradients, which have added up, the mean over all examples. */
  void average(Pass pass) {
    if (several()) {
      multiply(pass, last / (double) examples);
    }
  }

  private void multiply(Pass pass, double factor) {
    for (Parameter parameter : parameters) {
      NDArray gradient = parameter.requiresGradient() ? pass.gradient(parameter) : null;
      if (gradient != null) {
        gradient.muli(factor);
      }
    }
  }

  /** Begins a new step. */
  void reset() {
    passes = 0;
    examples = 0;
    last = 0;
  }
}
