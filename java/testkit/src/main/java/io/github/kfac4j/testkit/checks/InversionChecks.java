package io.github.kfac4j.testkit.checks;

import static io.github.kfac4j.testkit.checks.Comparison.demand;

import io.github.kfac4j.backend.InvertRequest;
import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.backend.Status;
import io.github.kfac4j.testkit.Fixtures;
import io.github.kfac4j.testkit.Literal;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** Damped inverses of rank-deficient factors, and what happens to matrices that have none. */
final class InversionChecks {
  private static final String VERB = "invert";

  /** An inverse may be this many times as wrong as that of plain fp32 Cholesky. */
  private static final double MULTIPLE = 3;

  /** What rounding the result to fp32 may cost; plain Cholesky can be luckier than that. */
  private static final double FLOOR = 16 * Fixtures.U;

  /** Sizes of the 108 factors of ResNet-50, and how many there are of each. */
  private static final int[][] RESNET_50 = {
    {64, 12},
    {128, 12},
    {147, 1},
    {256, 26},
    {512, 19},
    {576, 3},
    {1000, 1},
    {1024, 14},
    {1152, 4},
    {2048, 6},
    {2049, 1},
    {2304, 6},
    {4608, 3}
  };

  private final Comparison comparison;

  InversionChecks(Comparison comparison) {
    this.comparison = comparison;
  }

  void run(Extent extent) {
    for (int n : new int[] {2, 13, 64, 207}) {
      if (extent.has(n)) {
        failures(n);
      }
    }
    for (int n : new int[] {1, 2, 13, 32, 64, 128, 207, 300, 512, 1024}) {
      for (double condition : new double[] {1e2, 1e4, 2e5}) {
        if (extent.has(n)) {
          inverses("", n, Math.max(1, Math.min(16, 1024 / n)), condition);
        }
      }
    }
    inverses("", 16, 1000, 100);
    if (extent.large()) {
      inverses("Fashion-MNIST CNN, ", 3137, 1, 1e4);
      inverses("", 64, 10_000, 2e5);
      for (int[] factor : RESNET_50) {
        inverses("ResNet-50, ", factor[0], factor[1], factor[0] > 1500 ? 1e4 : 2e5);
      }
    }
  }

  /** What an inversion left. */
  private record Inverses(Status[] statuses, double[] inverses) {}

  private static Inverses invert(
      Side side, int n, double[] factors, double[] damping, double[] old) {
    MatrixStack source = side.stack(damping.length, n, n, factors);
    MatrixStack inverse = side.stack(damping.length, n, n, old);
    InvertRequest request = new InvertRequest(source, 0.5, damping, inverse);
    Status[] statuses = side.backend().invert(List.of(request)).get(0);
    double[] inverses = inverse.toArray();
    demand(Arrays.equals(source.toArray(), factors), "the source was changed");
    return new Inverses(statuses, inverses);
  }

  private void inverses(String prefix, int n, int count, double condition) {
    String what = "%s%d of %d x %d, condition %.0e".formatted(prefix, count, n, n, condition);
    Random random = comparison.random(VERB, what);
    double[] factors = new double[count * n * n];
    double[] damping = new double[count];
    for (int k = 0; k < count; k++) {
      double[] one = Fixtures.covariance(random, n, Math.max(1, n / 2));
      System.arraycopy(one, 0, factors, k * n * n, n * n);
      // half the samples: the least eigenvalue of the damped matrix is the damping
      damping[k] = 0.5 * Literal.norm(one, n) / (condition - 1);
    }
    comparison.check(
        VERB,
        what,
        side ->
            exact ->
                side.isDouble()
                    ? 1e-9
                    : Math.max(MULTIPLE * plainError(n, factors, damping, exact), FLOOR),
        side -> {
          Inverses outcome = invert(side, n, factors, damping, new double[factors.length]);
          double[] inverses = outcome.inverses();
          boolean symmetric = Arrays.equals(Literal.symmetric(inverses, n), inverses);
          demand(symmetric, "not symmetric to the bit");
          return outcome;
        },
        (actual, expected) -> {
          requireEqual(actual.statuses(), expected.statuses());
          return worst(n, actual.inverses(), expected.inverses());
        });
  }

  /** The error of the worst matrix of a stack. */
  private static double worst(int n, double[] actual, double[] expected) {
    double worst = 0;
    for (int start = 0; start < expected.length; start += n * n) {
      double[] one = Arrays.copyOfRange(actual, start, start + n * n);
      double[] exact = Arrays.copyOfRange(expected, start, start + n * n);
      worst = Math.max(worst, Fixtures.frobeniusError(one, exact));
    }
    return worst;
  }

  private static double plainError(int n, double[] factors, double[] damping, Inverses exact) {
    double[] plain = new double[factors.length];
    for (int k = 0; k < damping.length; k++) {
      double[] damped = new double[n * n];
      for (int i = 0; i < damped.length; i++) {
        damped[i] = 0.5 * factors[k * n * n + i] + (i % (n + 1) == 0 ? damping[k] : 0);
      }
      System.arraycopy(PlainCholesky.inverse(damped, n), 0, plain, k * n * n, n * n);
    }
    return worst(n, plain, exact.inverses());
  }

  private static void requireEqual(Status[] actual, Status[] expected) {
    demand(
        Arrays.equals(actual, expected),
        "statuses %s, expected %s",
        Arrays.toString(actual),
        Arrays.toString(expected));
  }

  /** Indefinite, good, NaN and infinite matrices in one stack: statuses, and old values kept. */
  private void failures(int n) {
    String what = "4 of %d x %d, three without an inverse".formatted(n, n);
    double[] factors = new double[4 * n * n];
    for (int i = 0; i < 4 * n; i++) {
      factors[i * n + i % n] = 2;
    }
    factors[n / 2 * (n + 1)] = -5;
    factors[2 * n * n + n - 1] = Double.NaN;
    factors[2 * n * n + (n - 1) * n] = Double.NaN;
    factors[3 * n * n] = Double.POSITIVE_INFINITY;
    double[] damping = {1, 1, 1, 1};
    double[] old = Fixtures.gaussian(comparison.random(VERB, what), factors.length);
    comparison.check(
        VERB,
        what,
        Tolerance.ofTensors(16),
        side -> {
          Inverses outcome = invert(side, n, factors, damping, old);
          for (int k : new int[] {0, 2, 3}) {
            double[] kept = Arrays.copyOfRange(outcome.inverses(), k * n * n, (k + 1) * n * n);
            double[] before = Arrays.copyOfRange(old, k * n * n, (k + 1) * n * n);
            demand(Arrays.equals(kept, before), "matrix %d lost its old inverse", k);
          }
          return outcome;
        },
        (actual, expected) -> {
          requireEqual(actual.statuses(), expected.statuses());
          return Fixtures.error(actual.inverses(), expected.inverses());
        });
  }
}
