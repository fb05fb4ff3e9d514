package io.github.kfac4j.testkit.checks;

import static io.github.kfac4j.testkit.checks.Comparison.demand;

import io.github.kfac4j.backend.InverseAccuracy;
import io.github.kfac4j.backend.InvertRequest;
import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.backend.Status;
import io.github.kfac4j.testkit.Fixtures;
import io.github.kfac4j.testkit.Literal;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/**
 * The error that {@link Status#OK} promises of an inverse, measured by {@code |X M - I|_2} in fp64:
 * of rank-deficient factors with dampings down to where no inverse of the stack's precision exists.
 */
final class InverseAccuracyChecks {
  private static final String VERB = "invert";
  private static final double[] CONDITIONS = {1e1, 1e3, 1e4, 3e4, 1e5, 3e5, 1e6, 1e7, 1e9, 1e12};

  private final Comparison comparison;

  InverseAccuracyChecks(Comparison comparison) {
    this.comparison = comparison;
  }

  void run(Extent extent) {
    for (int n : new int[] {1, 2, 3, 13, 16, 17, 32, 64, 129, 207, 300, 400}) {
      if (extent.has(n)) {
        statuses(n);
      }
    }
    // at most u kappa, of which a rounding of the exact inverse takes 0.35 to 0.6
    roundedOnce(64, 1e5);
    if (extent.has(400)) {
      roundedOnce(300, 5e4);
      roundedOnce(400, 1e5);
    }
    eachItsOwn();
  }

  /** What is called ok is within the bound, and what is not says so. */
  private void statuses(int n) {
    String what = "%d x %d, conditions 10 to 1e12".formatted(n, n);
    Random random = comparison.random(VERB, what);
    List<double[]> factors =
        Arrays.stream(new int[] {1, Math.max(1, n / 4), n})
            .mapToObj(rank -> Fixtures.covariance(random, n, rank))
            .toList();
    comparison.measure(
        VERB,
        what,
        side -> {
          double worst = 0;
          for (double[] factor : factors) {
            for (double condition : CONDITIONS) {
              worst = Math.max(worst, status(side, n, factor, condition));
            }
          }
          return new Measured(worst, InverseAccuracy.BOUND);
        });
  }

  /** The error of an inverse that is called ok, else 0. */
  private static double status(Side side, int n, double[] factor, double condition) {
    double damping = Literal.norm(factor, n) / condition;
    MatrixStack inverse = side.zeros(1, n, n);
    Status status = invert(side, n, factor, new double[] {damping}, inverse)[0];
    String what = "condition %s, %s".formatted(condition, status);
    if (status.kind() == Status.Kind.NOT_POSITIVE_DEFINITE) {
      // the factor was rounded to fp32, so that its zero eigenvalues are not quite zero
      demand(condition * Fixtures.U > 0.1, "%s", what);
      return 0;
    }
    double error = error(factor, n, damping, inverse.toArray());
    if (status.ok()) {
      return error;
    }
    demand(status.kind() == Status.Kind.INACCURATE, "%s", what);
    // half of one rounding of a perfect inverse: up to there no error is excused
    demand(condition * InverseAccuracy.roundoff(inverse) > 0.002, "%s", what);
    boolean near = status.error() >= error / 10 && status.error() <= 10 * error;
    demand(near, "%s, error %s", what, error);
    return 0;
  }

  /** What an inverse that is rounded once can do is done. */
  private void roundedOnce(int n, double condition) {
    String what = "%d x %d, condition %.0e, within the bound".formatted(n, n, condition);
    double[] factor = Fixtures.covariance(comparison.random(VERB, what), n, n / 4);
    double damping = Literal.norm(factor, n) / condition;
    comparison.measure(
        VERB,
        what,
        side -> {
          MatrixStack inverse = side.zeros(1, n, n);
          Status status = invert(side, n, factor, new double[] {damping}, inverse)[0];
          demand(status.equals(Status.OK), "%s", status);
          return new Measured(error(factor, n, damping, inverse.toArray()), InverseAccuracy.BOUND);
        });
  }

  private void eachItsOwn() {
    int n = 40;
    String what = "4 of 40 x 40, each with a status of its own";
    double[] factor = Fixtures.covariance(comparison.random(VERB, what), n, 5);
    double[] dampings = {1e-1, 5e-6, 1e-2, 1e-3};
    double[] stack = new double[dampings.length * n * n];
    Arrays.setAll(stack, i -> factor[i % (n * n)]);
    comparison.law(
        VERB,
        what,
        side -> {
          MatrixStack inverse = side.zeros(dampings.length, n, n);
          Status[] statuses = invert(side, n, stack, dampings, inverse);
          for (int k = 0; k < dampings.length; k++) {
            double[] one = Arrays.copyOfRange(inverse.toArray(), k * n * n, (k + 1) * n * n);
            double error = error(factor, n, dampings[k], one);
            boolean possible = inverse.isDouble() || dampings[k] > 1e-5;
            String status = "damping %s: %s, error %s".formatted(dampings[k], statuses[k], error);
            demand(statuses[k].ok() == possible, "%s", status);
            demand(error <= InverseAccuracy.BOUND == possible, "%s", status);
          }
        });
  }

  private static Status[] invert(
      Side side, int n, double[] factors, double[] dampings, MatrixStack inverse) {
    MatrixStack source = side.stack(dampings.length, n, n, factors);
    return side.backend().invert(List.of(new InvertRequest(source, 1, dampings, inverse))).get(0);
  }

  /** {@code |X M - I|_2} in fp64. */
  private static double error(double[] factor, int n, double damping, double[] inverse) {
    double[] m = Fixtures.damped(factor, n, 1, damping);
    double[] product = Literal.multiply(inverse, m, n, n, n);
    return Literal.norm(Fixtures.damped(product, n, 1, -1), n);
  }
}
