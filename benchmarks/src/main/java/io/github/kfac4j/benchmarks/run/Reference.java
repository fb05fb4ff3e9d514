package io.github.kfac4j.benchmarks.run;

import io.github.kfac4j.benchmarks.cases.Case;
import io.github.kfac4j.benchmarks.cases.ConvCase;
import io.github.kfac4j.benchmarks.cases.DenseCase;
import io.github.kfac4j.benchmarks.cases.Inputs;
import io.github.kfac4j.benchmarks.cases.InverseCase;
import io.github.kfac4j.benchmarks.cases.NetworkCase;
import io.github.kfac4j.benchmarks.cases.PreconditionCase;

/**
 * Results against fp64. A result R is multiplied by one vector v of a fixed stream; so is the
 * definition of R, in fp64, which costs n^2 where forming it would cost n^3 (Freivalds 1979).
 * Errors are relative, in the largest element.
 */
public final class Reference {
  private static final int PROBE = 900;

  private Reference() {}

  /**
   * Refuses a result that is wrong.
   *
   * @return the error
   * @throws IllegalStateException if it is more than fp32 explains
   */
  public static double require(String who, Case c, long seed, Work work) {
    double error = error(c, seed, work);
    double tolerance = tolerance(c);
    if (!(error <= tolerance)) {
      throw new IllegalStateException(
          "%s: %s is off by %.1e, more than %.0e".formatted(who, c.id(), error, tolerance));
    }
    return error;
  }

  /** Whether a case has a right result. */
  public static boolean judges(Case c, Work work) {
    return work.checkable() && !c.verb().equals(Case.TRAINING);
  }

  private static double tolerance(Case c) {
    return switch (c.verb()) {
      case Case.PATCHES -> 0;
      case Case.CONV_FACTOR, Case.DENSE_FACTOR -> 1e-5;
      case Case.PRECONDITION, Case.PRECONDITION_NETWORK -> 1e-4;
      default -> 1e-3; // condition numbers up to 1e4
    };
  }

  /** The error of the last run. */
  public static double error(Case c, long seed, Work work) {
    Inputs inputs = new Inputs(seed);
    if (c instanceof ConvCase conv) {
      ReferenceSamples rows = ReferenceSamples.of(conv, inputs.uniform(0, conv.elements()));
      return conv.verb().equals(Case.PATCHES)
          ? rows.largestDifference(work.result(0))
          : factorError(rows, work.result(0), inputs);
    }
    if (c instanceof DenseCase dense) {
      ReferenceSamples rows =
          ReferenceSamples.dense(
              inputs.uniform(0, dense.rows() * dense.width()), dense.rows(), dense.bias());
      return factorError(rows, work.result(0), inputs);
    }
    if (c instanceof InverseCase inverse) {
      return inverseError(inverse, inputs, work);
    }
    if (c instanceof PreconditionCase p) {
      return preconditionError(p, inputs, work.result(0));
    }
    return NetworkReference.error((NetworkCase) c, inputs, work);
  }

  private static double factorError(ReferenceSamples rows, float[] factor, Inputs inputs) {
    double[] v = probe(inputs, rows.dim());
    double[] expected = rows.moment(v);
    return difference(times(factor, rows.dim(), v), expected);
  }

  private static double inverseError(InverseCase c, Inputs inputs, Work work) {
    int last = (int) Math.ceil(c.sizes().size() * work.share()) - 1;
    double worst = 0;
    for (int k : new int[] {0, last / 2, last}) {
      int n = c.sizes().get(k);
      double[] v = probe(inputs, n);
      double[] x = times(work.result(k), n, v);
      double[] back = times(inputs.factor(k, n), n, x);
      for (int i = 0; i < n; i++) {
        back[i] += InverseCase.DAMPING * x[i];
      }
      worst = Math.max(worst, difference(back, v));
    }
    return worst;
  }

  private static double preconditionError(PreconditionCase c, Inputs inputs, float[] result) {
    double[] v = probe(inputs, c.in());
    double[] x = times(inputs.factor(1, c.in()), c.in(), v);
    x = times(inputs.uniform(2, c.out() * c.in()), c.in(), x);
    double[] expected = times(inputs.factor(0, c.out()), c.out(), x);
    return difference(times(result, c.in(), v), expected);
  }

  static double[] probe(Inputs inputs, int n) {
    float[] v = inputs.uniform(PROBE, n);
    double[] wide = new double[n];
    for (int i = 0; i < n; i++) {
      wide[i] = v[i];
    }
    return wide;
  }

  /** A row-major matrix of {@code cols} columns times v. */
  static double[] times(float[] matrix, int cols, double[] v) {
    double[] product = new double[matrix.length / cols];
    for (int i = 0; i < product.length; i++) {
      double sum = 0;
      for (int j = 0; j < cols; j++) {
        sum += matrix[i * cols + j] * v[j];
      }
      product[i] = sum;
    }
    return product;
  }

  /** The largest difference over the largest expected element. */
  static double difference(double[] actual, double[] expected) {
    double worst = 0;
    double scale = 0;
    for (int i = 0; i < expected.length; i++) {
      double d = Math.abs(actual[i] - expected[i]);
      worst = Math.max(worst, d); // NaN if one is
      scale = Math.max(scale, Math.abs(expected[i]));
    }
    return worst / scale;
  }
}
