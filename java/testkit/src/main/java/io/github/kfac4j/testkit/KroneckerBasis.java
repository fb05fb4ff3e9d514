package io.github.kfac4j.testkit;

import io.github.kfac4j.backend.DecomposeRequest;
import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.backend.Status;
import io.github.kfac4j.reference.JavaBackend;
import java.util.Arrays;
import java.util.List;
import java.util.function.DoubleBinaryOperator;

/**
 * A Kronecker basis of one block in fp64, as plainly as it can be: what arithmetic without rounding
 * makes of matrices that were rounded where they are stored.
 *
 * @param g {@code [rows, rows]}, basis vectors as columns; likewise {@code a}
 * @param gValues eigenvalues, none below zero; likewise {@code aValues}
 */
public record KroneckerBasis(double[] g, double[] gValues, double[] a, double[] aValues) {
  private int rows() {
    return gValues.length;
  }

  private int cols() {
    return aValues.length;
  }

  /** The eigenvectors of two factors. */
  public static KroneckerBasis of(double[] factorG, int rows, double[] factorA, int cols) {
    double[] g = new double[rows * rows];
    double[] a = new double[cols * cols];
    double[] gValues = decompose(factorG, rows, g);
    return new KroneckerBasis(g, gValues, a, decompose(factorA, cols, a));
  }

  private static double[] decompose(double[] factor, int n, double[] vectors) {
    try (JavaBackend java = new JavaBackend();
        MatrixStack source = java.allocate(1, n, n);
        MatrixStack q = java.allocate(1, n, n);
        MatrixStack w = java.allocate(1, 1, n)) {
      source.set(factor);
      Status status = java.decompose(List.of(new DecomposeRequest(source, 1, q, w))).get(0)[0];
      if (!status.ok()) {
        throw new AssertionError(status.toString());
      }
      System.arraycopy(q.toArray(), 0, vectors, 0, n * n);
      return Arrays.stream(w.toArray()).map(x -> Math.max(0, x)).toArray();
    }
  }

  /** The block's diagonal, damped, by its eigenvalues. */
  public double[] diagonal(DoubleBinaryOperator damped) {
    double[] diagonal = new double[rows() * cols()];
    Arrays.setAll(diagonal, i -> damped.applyAsDouble(gValues[i / cols()], aValues[i % cols()]));
    return diagonal;
  }

  /** The mean square of the gradients of the examples in this basis. */
  public double[] moments(RankDeficientBatch batch) {
    return moments(batch.g, batch.x, batch.examples);
  }

  /**
   * The same of examples whose gradients are sums over positions.
   *
   * @param g {@code [examples * positions, rows]}, those of an example together
   * @param a {@code [examples * positions, cols]}
   */
  public double[] moments(double[] g, double[] a, int examples) {
    int positions = g.length / rows() / examples;
    double[] gs = Literal.multiply(g, this.g, examples * positions, rows(), rows());
    double[] as = Literal.multiply(a, this.a, examples * positions, cols(), cols());
    double[] moments = new double[rows() * cols()];
    for (int n = 0; n < examples; n++) {
      double[] sum = new double[moments.length];
      for (int r = n * positions; r < (n + 1) * positions; r++) {
        for (int i = 0; i < sum.length; i++) {
          sum[i] += gs[r * rows() + i / cols()] * as[r * cols() + i % cols()];
        }
      }
      for (int i = 0; i < sum.length; i++) {
        moments[i] += sum[i] * sum[i] / examples;
      }
    }
    return moments;
  }

  /** {@code Qg [(Qg' dW Qa) / diagonal] Qa'}. */
  public double[] divide(double[] diagonal, double[] dw) {
    double[] inside = both(Literal.transpose(g, rows(), rows()), dw, a);
    Arrays.setAll(inside, i -> inside[i] / diagonal[i]);
    return both(g, inside, Literal.transpose(a, cols(), cols()));
  }

  /** {@code X dW Y} with the inverses of factors that have these dampings, rounded to fp32. */
  public double[] divideByStoredInverses(double dampingG, double dampingA, double[] dw) {
    return both(storedInverse(g, gValues, dampingG), dw, storedInverse(a, aValues, dampingA));
  }

  private static double[] storedInverse(double[] q, double[] values, double damping) {
    int n = values.length;
    double[] scaled = q.clone();
    Arrays.setAll(scaled, i -> q[i] / (values[i % n] + damping));
    return Fixtures.rounded(Literal.multiply(scaled, Literal.transpose(q, n, n), n, n, n));
  }

  private double[] both(double[] left, double[] m, double[] right) {
    double[] half = Literal.multiply(left, m, rows(), rows(), cols());
    return Literal.multiply(half, right, rows(), cols(), cols());
  }

  /** The orthonormal basis next to this one, whose columns are so only to rounding. */
  public KroneckerBasis orthonormal() {
    return new KroneckerBasis(orthonormal(g, rows()), gValues, orthonormal(a, cols()), aValues);
  }

  /** Two steps of {@code Q <- Q (3 I - Q'Q) / 2}. */
  private static double[] orthonormal(double[] q, int n) {
    double[] next = q;
    for (int step = 0; step < 2; step++) {
      double[] factor = Literal.multiply(Literal.transpose(next, n, n), next, n, n, n);
      Arrays.setAll(factor, i -> ((i % (n + 1) == 0 ? 3 : 0) - factor[i]) / 2);
      next = Literal.multiply(next, factor, n, n, n);
    }
    return next;
  }
}
