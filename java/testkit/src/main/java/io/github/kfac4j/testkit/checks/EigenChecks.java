package io.github.kfac4j.testkit.checks;

import io.github.kfac4j.backend.DecomposeRequest;
import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.backend.Status;
import io.github.kfac4j.testkit.Fixtures;
import io.github.kfac4j.testkit.Literal;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/**
 * Eigendecompositions. Eigenvectors are not unique, so invariants are compared: the eigenvalues
 * with the oracle's, the product of the three factors with the matrix, the eigenvectors' inner
 * products with the identity. Matrices of low rank tell fp64 from fp32: their null space comes out
 * as zero next to the largest eigenvalue, or as several roundings of it.
 */
final class EigenChecks {
  private static final String VERB = "decompose";

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
      decompositions("rank 1", n, 1);
    }
    if (extent.large()) {
      decompositions("rank deficient", 1152, 400);
    }
    new EigenStepChecks(comparison).run(extent);
  }

  private void decompositions(String kind, int n, int samples) {
    int count = n < 200 ? 3 : 1;
    String what = "%d of %d x %d, %s".formatted(count, n, n, kind);
    Random random = comparison.random(VERB, what);
    double[] factors = new double[count * n * n];
    for (int k = 0; k < count; k++) {
      System.arraycopy(Fixtures.covariance(random, n, samples), 0, factors, k * n * n, n * n);
    }
    comparison.check(
        VERB,
        what,
        exact -> Fixtures.U,
        side -> decompose(side, count, n, factors),
        (actual, expected) -> {
          double error = 0;
          for (int k = 0; k < count; k++) {
            error = Math.max(error, error(actual, expected, k, n, factors));
          }
          return error;
        });
  }

  private record Outcome(double[] values, double[] vectors) {}

  private static Outcome decompose(Side side, int count, int n, double[] factors) {
    MatrixStack source = side.stack(count, n, n, factors);
    MatrixStack vectors = side.zeros(count, n, n);
    MatrixStack values = side.zeros(count, 1, n);
    DecomposeRequest request = new DecomposeRequest(source, 1, vectors, values);
    Status[] statuses = side.backend().decompose(List.of(request)).get(0);
    if (!Arrays.stream(statuses).allMatch(Status::ok)) {
      throw new Comparison.Disagreement("statuses " + Arrays.toString(statuses));
    }
    return new Outcome(values.toArray(), vectors.toArray());
  }

  /**
   * In roundings of fp32 as they are allowed for: an eigenvalue may be off by one of its own and by
   * n/2 of fp64, or 10 if that is more, of the norm; V diag(d) V' and V'V by three in the spectral
   * norm.
   */
  private static double error(Outcome outcome, Outcome expected, int k, int n, double[] factors) {
    double[] v = Arrays.copyOfRange(outcome.vectors(), k * n * n, (k + 1) * n * n);
    double norm = Math.abs(expected.values()[(k + 1) * n - 1]);
    double error = 0;
    for (int i = k * n; i < (k + 1) * n; i++) {
      double right = expected.values()[i];
      double allowed = Math.abs(right) + Math.max(10, n / 2) * Math.ulp(1.0) / Fixtures.U * norm;
      error = Math.max(error, Math.abs(outcome.values()[i] - right) / allowed);
    }
    double[] transposed = new double[n * n];
    double[] scaled = new double[n * n];
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < n; j++) {
        transposed[j * n + i] = v[i * n + j];
        scaled[i * n + j] = v[i * n + j] * outcome.values()[k * n + j];
      }
    }
    double[] residual = Literal.multiply(scaled, transposed, n, n, n);
    double[] gram = Literal.multiply(transposed, v, n, n, n);
    for (int i = 0; i < n * n; i++) {
      residual[i] -= factors[k * n * n + i];
      gram[i] -= i % (n + 1) == 0 ? 1 : 0;
    }
    double apart = Literal.norm(residual, n) / (3 * norm);
    return Math.max(error, Math.max(apart, Literal.norm(gram, n) / 3));
  }
}
