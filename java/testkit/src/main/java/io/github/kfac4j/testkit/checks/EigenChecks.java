package io.github.kfac4j.testkit.checks;

import static io.github.kfac4j.testkit.checks.Comparison.demand;

import io.github.kfac4j.backend.DecomposeRequest;
import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.backend.Status;
import io.github.kfac4j.testkit.Fixtures;
import io.github.kfac4j.testkit.Literal;
import io.github.kfac4j.testkit.RankDeficientBatch;
import io.github.kfac4j.testkit.RankDeficientBatch.Inputs;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;

/**
 * Eigendecompositions. Eigenvectors are not unique, so invariants are compared: the eigenvalues
 * with the reference's, the product of the three factors with the matrix, the eigenvectors' inner
 * products with the identity. Matrices of low rank tell fp64 from fp32: their null space comes out
 * as zero next to the largest eigenvalue, or as several roundings of it.
 */
final class EigenChecks {
  private static final String VERB = "decompose";
  private static final double EPS = Math.ulp(1.0);

  private final Comparison comparison;

  EigenChecks(Comparison comparison) {
    this.comparison = comparison;
  }

  void run(Extent extent) {
    notFinite();
    for (int n : new int[] {1, 2, 13, 32, 64, 128, 207, 512}) {
      if (extent.has(n)) {
        decompositions("full rank", n, 2 * n);
        decompositions("rank deficient", n, Math.max(1, n / 3));
        decompositions("rank 1", n, 1);
      }
    }
    if (extent.large()) {
      decompositions("rank deficient", 1152, 400);
    }
    for (Inputs inputs : Inputs.values()) {
      for (int examples : RankDeficientBatch.EXAMPLES) {
        factor(inputs, examples, 73);
      }
    }
    factor(Inputs.GAUSSIAN, 1, 13);
    factor(Inputs.RELU, 40, 72);
    if (extent.has(160)) {
      factor(Inputs.CONSTANT, 2, 160);
      factor(Inputs.GAUSSIAN, 200, 160);
    }
  }

  private void notFinite() {
    double[] old = Fixtures.gaussian(comparison.random(VERB, "NaN"), 9);
    double[] nan = new double[9];
    nan[4] = Double.NaN;
    comparison.law(
        VERB,
        "NaN is reported and leaves the old vectors",
        side -> {
          MatrixStack vectors = side.stack(1, 3, 3, old);
          DecomposeRequest request =
              new DecomposeRequest(side.stack(1, 3, 3, nan), 1, vectors, side.zeros(1, 1, 3));
          Status status = side.backend().decompose(List.of(request)).get(0)[0];
          demand(status.equals(Status.NOT_FINITE), "%s", status);
          demand(Arrays.equals(vectors.toArray(), old), "the old vectors are lost");
        });
  }

  private void decompositions(String kind, int n, int samples) {
    int count = n < 200 ? 3 : 1;
    String what = "%d of %d x %d, %s".formatted(count, n, n, kind);
    Random random = comparison.random(VERB, what);
    double[] factors = new double[count * n * n];
    for (int k = 0; k < count; k++) {
      System.arraycopy(Fixtures.covariance(random, n, samples), 0, factors, k * n * n, n * n);
    }
    check(what, count, n, factors);
  }

  private void factor(Inputs inputs, int examples, int n) {
    double[] factor = Fixtures.rounded(RankDeficientBatch.of(inputs, examples, n).factorA());
    check("factor of %d %s inputs, %d x %d".formatted(examples, inputs, n, n), 1, n, factor);
  }

  /** Twice the matrices, which is exact. */
  private void check(String what, int count, int n, double[] factors) {
    comparison.check(
        VERB,
        what,
        side -> exact -> Fixtures.U,
        side -> decompose(side, count, n, factors),
        (actual, expected) ->
            IntStream.range(0, count)
                .mapToDouble(k -> error(actual, expected, k, n, factors))
                .max()
                .orElseThrow());
  }

  private record Eigenpairs(double[] values, double[] vectors, boolean fp64) {}

  private static Eigenpairs decompose(Side side, int count, int n, double[] factors) {
    MatrixStack source = side.stack(count, n, n, factors);
    MatrixStack vectors = side.zeros(count, n, n);
    MatrixStack values = side.zeros(count, 1, n);
    DecomposeRequest request = new DecomposeRequest(source, 2, vectors, values);
    Status[] statuses = side.backend().decompose(List.of(request)).get(0);
    demand(Arrays.stream(statuses).allMatch(Status::ok), "statuses %s", Arrays.toString(statuses));
    demand(Arrays.equals(source.toArray(), factors), "the source was changed");
    return new Eigenpairs(values.toArray(), vectors.toArray(), source.isDouble());
  }

  /**
   * In roundings of fp32 as they are allowed for. Stored in fp32, an eigenvalue may be off by one
   * of its own and by n/2 of fp64 of the norm, 10 if n is below 13; V diag(d) V' and V'V by three
   * in the spectral norm. Stored in fp64, all may be off by 10 n of fp64.
   */
  private static double error(
      Eigenpairs outcome, Eigenpairs expected, int k, int n, double[] factors) {
    double[] v = Arrays.copyOfRange(outcome.vectors(), k * n * n, (k + 1) * n * n);
    double[] d = Arrays.copyOfRange(outcome.values(), k * n, (k + 1) * n);
    double[] right = Arrays.copyOfRange(expected.values(), k * n, (k + 1) * n);
    double norm = Math.max(-right[0], right[n - 1]);
    double rounding = outcome.fp64() ? 0 : Fixtures.U;
    double arithmetic = (outcome.fp64() ? 10 * n : n < 13 ? 10 : n / 2.0) * EPS;
    double error = 0;
    for (int i = 0; i < n; i++) {
      demand(i == 0 || d[i - 1] <= d[i], "eigenvalue %d is below the one before", i);
      double allowed = rounding * Math.abs(right[i]) + arithmetic * norm;
      error = Math.max(error, Math.abs(d[i] - right[i]) / allowed);
    }
    double[] transposed = Literal.transpose(v, n, n);
    double[] scaled = new double[n * n];
    Arrays.setAll(scaled, i -> v[i] * d[i % n]);
    double[] residual = Literal.multiply(scaled, transposed, n, n, n);
    Arrays.setAll(residual, i -> residual[i] - 2 * factors[k * n * n + i]);
    double[] gram = Literal.multiply(transposed, v, n, n, n);
    double allowed = outcome.fp64() ? 10 * n * EPS : 3 * Fixtures.U;
    error = Math.max(error, Literal.norm(residual, n) / (allowed * norm));
    error = Math.max(error, Literal.norm(Fixtures.damped(gram, n, 1, -1), n) / allowed);
    return error * Fixtures.U;
  }
}
