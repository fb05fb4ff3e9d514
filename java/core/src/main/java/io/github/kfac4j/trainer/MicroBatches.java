package io.github.kfac4j.trainer;

/**
 * The micro-batches of a step, each of which counts by its examples. How many examples they have
 * together is known after the last one, so shares are kept as if those to come were like the last.
 */
final class MicroBatches {
  private final ModelGradients gradients;
  private int count = 1;
  private boolean divided;
  private int passes;
  private long examples;
  private long last;

  /** Micro-batches whose gradients add up in those of a model. */
  MicroBatches(ModelGradients gradients) {
    this.gradients = gradients;
  }

  /**
   * Changes how many there are, also within a step.
   *
   * @param lossesDivided whether each loss is divided by their number, so that gradients are left
   *     as they add up
   * @return what the shares of the passes so far must be multiplied by
   * @throws IllegalArgumentException if the number is not positive or there were more
   */
  double setCount(int value, boolean lossesDivided) {
    if (value < 1) {
      throw new IllegalArgumentException("micro-batches must be positive but are " + value);
    }
    if (value < passes) {
      throw new IllegalArgumentException(
          "this step has had %d passes and cannot have %d micro-batches".formatted(passes, value));
    }
    double before = estimate();
    count = value;
    divided = lossesDivided;
    return passes == 0 ? 1 : before / estimate();
  }

  /** What the loss of a pass is divided by. */
  int divisor() {
    return divided ? count : 1;
  }

  /** Whether factors and gradients become means over passes. */
  boolean several() {
    return count > 1;
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
   * Counts a pass that begins, with its examples. The gradients that have added up so far are
   * weighed against those to come.
   *
   * @return what the shares of the passes before must be multiplied by
   */
  double begin(int next) {
    double before = estimate();
    boolean equal = passes == 0 || next == last;
    if (several() && !divided && !equal) {
      gradients.multiply((double) last / next);
    }
    passes++;
    examples += next;
    last = next;
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
          ("a step has %d micro-batches, but there were %d passes: run the others, call"
                  + " setMicroBatches() with as many as there were, or discardStep() to drop it")
              .formatted(count, passes));
    }
  }

  /** Makes the gradients, which have added up, the mean over all examples. */
  void average() {
    if (several() && !divided) {
      gradients.multiply(last / (double) examples);
    }
  }

  /** Begins a new step. */
  void reset() {
    passes = 0;
    examples = 0;
    last = 0;
  }
}
