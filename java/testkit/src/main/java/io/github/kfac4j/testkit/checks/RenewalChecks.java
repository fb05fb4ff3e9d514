package io.github.kfac4j.testkit.checks;

import static io.github.kfac4j.testkit.checks.Comparison.demand;

import io.github.kfac4j.backend.DecomposeRequest;
import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.backend.RenewRequest;
import io.github.kfac4j.backend.Renewal;
import io.github.kfac4j.testkit.Fixtures;
import io.github.kfac4j.testkit.Literal;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/**
 * Renewals of bases, which a backend may lack: of matrices that have changed a little since they
 * were decomposed, against the definition by loops.
 */
final class RenewalChecks {
  private static final String VERB = "renew";

  /** Bases are stored with 48 bits at least, and products are fp64. */
  private static final double TOLERANCE = 1e-9;

  private final Comparison comparison;

  RenewalChecks(Comparison comparison) {
    this.comparison = comparison;
  }

  void run(Extent extent) {
    if (isMissing()) {
      return;
    }
    for (int[] size :
        new int[][] {{1, 1}, {2, 1}, {13, 13}, {13, 4}, {40, 39}, {73, 20}, {130, 60}}) {
      if (extent.has(size[0])) {
        renewal("full rank", size[0], size[1], 2 * size[0]);
        renewal("low rank", size[0], size[1], 1 + size[1] / 2);
      }
    }
    comparison.measure(VERB, "a zero matrix leaves a basis", RenewalChecks::zero);
    comparison.law(VERB, "too large a share leaves the basis", side -> refused(side, 1));
    comparison.law(VERB, "NaN leaves the basis", side -> refused(side, Double.NaN));
  }

  /** Whether the backend lacks the verb; of that there is a check, too. */
  private boolean isMissing() {
    boolean[] missing = new boolean[1];
    comparison.law(
        VERB,
        "nothing to renew",
        side -> {
          try {
            demand(side.backend().renew(List.of()).isEmpty(), "a result of nothing");
          } catch (UnsupportedOperationException e) {
            missing[0] = true;
          }
        });
    return missing[0];
  }

  private static Renewal renew(
      Side side, MatrixStack source, MatrixStack basis, int r, double most) {
    RenewRequest request = new RenewRequest(source, basis, r, most);
    return side.backend().renew(List.of(request)).get(0)[0];
  }

  /** All bases are of eigenvectors. */
  private static Measured zero(Side side) {
    MatrixStack basis = side.basis(5, Fixtures.damped(new double[25], 5, 0, 1));
    Renewal renewal = renew(side, side.zeros(1, 5, 5), basis, 2, 0.01);
    demand(renewal.accepted() && renewal.share() == 0, "%s", renewal);
    return new Measured(notOrthonormal(basis.toArray(), 5), TOLERANCE);
  }

  /** The largest element of {@code Q'Q - I}. */
  private static double notOrthonormal(double[] q, int n) {
    double[] gram = Literal.multiply(Literal.transpose(q, n, n), q, n, n, n);
    return largest(Fixtures.damped(gram, n, 1, -1));
  }

  /** One eigenvalue, and a leading vector that is of the null space. */
  private static void refused(Side side, double element) {
    double[] matrix = new double[16];
    matrix[0] = element;
    double[] identity = Fixtures.damped(new double[16], 4, 0, 1);
    MatrixStack basis = side.basis(4, identity);
    Renewal renewal = renew(side, side.stack(1, 4, 4, matrix), basis, 1, 0.01);
    demand(!renewal.accepted(), "accepted with the share %s", renewal.share());
    demand(renewal.rotation() == null, "a turn that was not made");
    boolean known = Double.isNaN(element) ? Double.isNaN(renewal.share()) : renewal.share() == 1;
    demand(known, "the share is %s", renewal.share());
    demand(Arrays.equals(basis.toArray(), identity), "the basis has changed");
  }

  private void renewal(String kind, int n, int r, int samples) {
    String what = "%d of %d x %d, %s".formatted(r, n, n, kind);
    Random random = comparison.random(VERB, what);
    double[] before = Fixtures.covariance(random, n, samples);
    double[] fresh = Fixtures.covariance(random, n, samples);
    double[] now = new double[n * n];
    Arrays.setAll(now, i -> 0.95 * before[i] + 0.05 * fresh[i]);
    comparison.measure(
        VERB,
        what,
        side -> {
          MatrixStack basis = side.basis(n, new double[n * n]);
          MatrixStack source = side.stack(1, n, n, before);
          side.backend()
              .decompose(List.of(new DecomposeRequest(source, 1, basis, side.zeros(1, 1, n))));
          double[] old = basis.toArray();
          source.set(now);
          Renewal renewal = renew(side, source, basis, r, 1);
          demand(renewal.accepted(), "refused with the share %s", renewal.share());
          double error = error(source.toArray(), old, basis.toArray(), renewal, n, r);
          return new Measured(error, TOLERANCE);
        });
  }

  private static double error(double[] a, double[] old, double[] q, Renewal renewal, int n, int r) {
    double[] oldLead = columns(old, n, n - r, n);
    double[] lead = columns(q, n, n - r, n);
    double[] y = orthonormal(a, oldLead, n, r);
    double error = notOrthonormal(q, n);
    // the leading vectors span what Y does, and A is diagonal in them
    double[] onY = Literal.multiply(Literal.transpose(y, n, r), lead, r, n, r);
    double[] left = Literal.multiply(y, onY, n, r, r);
    Arrays.setAll(left, i -> left[i] - lead[i]);
    error = Math.max(error, largest(left));
    double[] leadRows = Literal.transpose(lead, n, r);
    double[] ritz = Literal.multiply(Literal.multiply(leadRows, a, r, n, n), lead, r, n, r);
    double norm = Literal.norm(a, n);
    double squares = 0;
    for (int i = 0; i < r; i++) {
      squares += ritz[i * (r + 1)] * ritz[i * (r + 1)];
      error = Math.max(error, Math.abs(ritz[i * (r + 1)] - renewal.values()[i]) / norm);
      demand(i == 0 || ritz[i * (r + 1)] > ritz[(i - 1) * (r + 1)] - TOLERANCE * norm, "order");
      ritz[i * (r + 1)] = 0;
    }
    error = Math.max(error, largest(ritz) / norm);
    double[] rest = rest(old, oldLead, y, n, r);
    double[] actual = columns(q, n, 0, n - r);
    Arrays.setAll(rest, i -> rest[i] - actual[i]);
    error = Math.max(error, largest(rest));
    double[] turn = Literal.multiply(Literal.transpose(oldLead, n, r), lead, r, n, r);
    Arrays.setAll(turn, i -> turn[i] - renewal.rotation()[i]);
    error = Math.max(error, largest(turn));
    double share = Math.max(0, 1 - squares / Literal.dot(a, a));
    return Math.max(error, Math.abs(share - renewal.share()));
  }

  /** {@code (A + shift I) Q1}, each column made orthogonal to those of larger eigenvalues. */
  private static double[] orthonormal(double[] a, double[] lead, int n, int r) {
    double shift = Renewal.SHIFT * Literal.trace(a, n) / n;
    double[] z = Literal.multiply(Fixtures.damped(a, n, 1, shift), lead, n, n, r);
    for (int j = r - 1; j >= 0; j--) {
      for (int pass = 0; pass < 3; pass++) {
        for (int larger = r - 1; larger > j; larger--) {
          double dot = dot(z, j, z, larger, r);
          for (int i = 0; i < n; i++) {
            z[i * r + j] -= dot * z[i * r + larger];
          }
        }
        double length = Math.copySign(Math.sqrt(dot(z, j, z, j, r)), dot(z, j, lead, j, r));
        for (int i = 0; i < n; i++) {
          z[i * r + j] /= length;
        }
      }
    }
    return z;
  }

  /** {@code Q2 - F (I + Y'Q1)^-1 F'Q2}. */
  private static double[] rest(double[] old, double[] lead, double[] y, int n, int r) {
    int width = n - r;
    double[] rest = columns(old, n, 0, width);
    double[] cross = Literal.multiply(Literal.transpose(y, n, r), lead, r, n, r);
    double[] solution = Literal.inverse(Fixtures.damped(cross, r, 1, 1), r);
    double[] f = new double[n * r];
    Arrays.setAll(f, i -> lead[i] + y[i]);
    double[] factors = Literal.multiply(Literal.transpose(f, n, r), rest, r, n, width);
    double[] change =
        Literal.multiply(f, Literal.multiply(solution, factors, r, r, width), n, r, width);
    Arrays.setAll(rest, i -> rest[i] - change[i]);
    return rest;
  }

  private static double[] columns(double[] q, int n, int from, int to) {
    int width = to - from;
    double[] part = new double[n * width];
    for (int i = 0; i < n; i++) {
      System.arraycopy(q, i * n + from, part, i * width, width);
    }
    return part;
  }

  private static double dot(double[] x, int column, double[] z, int other, int width) {
    double sum = 0;
    for (int i = 0; i < x.length; i += width) {
      sum += x[i + column] * z[i + other];
    }
    return sum;
  }

  private static double largest(double[] x) {
    return Arrays.stream(x).map(Math::abs).max().orElse(0);
  }
}
