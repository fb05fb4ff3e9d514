package io.github.kfac4j.testkit.checks;

import io.github.kfac4j.testkit.Fixtures;

/**
 * The largest relative error that passes.
 *
 * @param single of a backend that stores fp32
 * @param full of one that stores fp64
 */
record Tolerance(double single, double full) {
  /** No error at all. */
  static final Tolerance EXACT = new Tolerance(0, 0);

  /** A number of roundings of fp32 where no matrix is inverted; 1e-12 in fp64. */
  static Tolerance roundings(double count) {
    return new Tolerance(count * Fixtures.U, 1e-12);
  }

  /** Where results are fp32 tensors, whatever a backend stores. */
  static Tolerance ofTensors(double roundings) {
    return new Tolerance(roundings * Fixtures.U, roundings * Fixtures.U);
  }

  double of(Side side) {
    return side.isDouble() ? full : single;
  }
}
