package io.github.kfac4j.cli.validate;

import io.github.kfac4j.backend.Eigendecomposition;
import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.backend.Status;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/**
 * Eigendecompositions. Eigenvectors are not unique, so invariants are compared: the eigenvalues
 * with the oracle's, the product of the three factors with the matrix, the eigenvectors' inner
 * products with the identity.
 */
final class EigenChecks {
  private static final String VERB = "decompose";

  /** The tolerance is this times {@code 1 + sqrt(n)} roundings. */
  private static final double MULTIPLE = 32;

  private final Comparison comparison;

  EigenChecks(Comparison comparison) {
    this.comparison = comparison;
  }

  void run(Extent extent) {
    for (int n : new int[] {1, 2, 13, 32, 64, 128, 207, 512}) {
      if (!extent.has(n)) {
        continue;
      }
      decompositions("full rank", n, 2 * n);
      decompositions("rank deficient", n, Math.max(1, n / 3));
    }
    if (extent.large()) {
      decompositions("rank deficient", 1152, 400);
    }
  }

  private void decompositions(String kind, int n, int samples) {
    int count = n < 200 ? 3 : 1;
    String what = "%d of %d x %d, %s".formatted(count, n, n, kind);
    Random random = comparison.random(VERB, what);
    double[] factors = new double[count * n * n];
    for (int k = 0; k < count; k++) {
      System.arraycopy(Numbers.covariance(random, n, samples), 0, factors, k * n * n, n * n);
    }
    double tolerance = MULTIPLE * Numbers.U * (1 + Math.sqrt(n));
    comparison.check(
        VERB,
        what,
        exact -> tolerance,
        side -> decompose(side, count, n, factors),
        (actual, expected) -> {
          double error = Numbers.largestError(actual.values(), expected.values());
          for (int k = 0; k < count; k++) {
            error = Math.max(error, error(actual, k, n, factors));
          }
          return error;
        });
  }

  private record Outcome(double[] values, double[] vectors) {}

  private static Outcome decompose(Side side, int count, int n, double[] factors) {
    MatrixStack source = side.stack(count, n, n, factors);
    MatrixStack vectors = side.zeros(count, n, n);
    MatrixStack values = side.zeros(count, 1, n);
    Eigendecomposition request = new Eigendecomposition(source, 1, vectors, values);
    Status[] statuses = side.backend().decompose(List.of(request)).get(0);
    if (!Arrays.stream(statuses).allMatch(Status::ok)) {
      throw new Comparison.Disagreement("statuses " + Arrays.toString(statuses));
    }
    return new Outcome(values.toArray(), vectors.toArray());
  }

  /** How far V diag(d) V' is from matrix {@code k}, and V'V from the identity. */
  private static double error(Outcome outcome, int k, int n, double[] factors) {
    double[] v = Arrays.copyOfRange(outcome.vectors(), k * n * n, (k + 1) * n * n);
    double[] transposed = new double[n * n];
    double[] scaled = new double[n * n];
    double[] identity = new double[n * n];
    for (int i = 0; i < n; i++) {
      identity[i * (n + 1)] = 1;
      for (int j = 0; j < n; j++) {
        transposed[j * n + i] = v[i * n + j];
        scaled[i * n + j] = v[i * n + j] * outcome.values()[k * n + j];
      }
    }
    double[] factor = Arrays.copyOfRange(factors, k * n * n, (k + 1) * n * n);
    return Math.max(
        Numbers.largestError(Numbers.product(scaled, transposed, n), factor),
        Numbers.largestError(Numbers.product(transposed, v, n), identity));
  }
}
