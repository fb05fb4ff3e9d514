package io.github.kfac4j.nqm;

import java.util.Arrays;

/**
 * A piecewise-constant learning rate: each rate is held for the same number of steps.
 *
 * @param learningRates one per piece, positive; copied in and out
 * @param stepsPerPiece k, positive
 */
public record LearningRateSchedule(double[] learningRates, long stepsPerPiece) {

  /**
   * @throws IllegalArgumentException if there is no piece, or a bad rate or length
   */
  public LearningRateSchedule {
    if (learningRates.length == 0) {
      throw new IllegalArgumentException("a schedule needs at least one piece");
    }
    for (double rate : learningRates) {
      if (!(rate > 0) || Double.isInfinite(rate)) {
        throw new IllegalArgumentException(
            "the learning rates of a schedule must be positive and finite, not " + rate);
      }
    }
    if (stepsPerPiece <= 0) {
      throw new IllegalArgumentException("a piece needs at least one step, not " + stepsPerPiece);
    }
    learningRates = learningRates.clone();
  }

  @Override
  public double[] learningRates() {
    return learningRates.clone();
  }

  /** Over all pieces. */
  public long steps() {
    return learningRates.length * stepsPerPiece;
  }

  /** The rate of the last piece. */
  public double finalLearningRate() {
    return learningRates[learningRates.length - 1];
  }

  /**
   * How many pieces, from the first on, keep the rate of the first within one part in a hundred.
   */
  public int plateauPieces() {
    int pieces = 0;
    while (pieces < learningRates.length
        && Math.abs(learningRates[pieces] / learningRates[0] - 1) < 0.01) {
      pieces++;
    }
    return pieces;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof LearningRateSchedule that
        && stepsPerPiece == that.stepsPerPiece
        && Arrays.equals(learningRates, that.learningRates);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(learningRates) * 31 + Long.hashCode(stepsPerPiece);
  }

  @Override
  public String toString() {
    return Arrays.toString(learningRates) + " x " + stepsPerPiece;
  }
}
