package io.github.kfac4j.testkit.checks;

import static io.github.kfac4j.testkit.checks.Comparison.demand;

import io.github.kfac4j.backend.Basis;
import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.backend.RenewRequest;
import io.github.kfac4j.backend.Renewal;
import io.github.kfac4j.testkit.Fixtures;
import io.github.kfac4j.testkit.Literal;
import io.github.kfac4j.testkit.LiteralBackend;
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
        new int[][] {{1, 1}, {2, 1}, {13, 13}, {13, 4}, {40, 20}, {73, 20}, {130, 60}}) {
      if (extent.has(size[0])) {
        renewal("full rank", size[0], size[1], 2 * size[0]);
        renewal("low rank", size[0], size[1], 1 + size[1] / 2);
      }
    }
    comparison.measure(VERB, "a zero matrix leaves a basis", RenewalChecks::zero);
    comparison.law(VERB, "too large a share leaves the basis", side -> refused(side, 1));
    comparison.law(VERB, "NaN leaves the basis", side -> refused(side, Double.NaN));
    comparison.law(VERB, "all of a request or none", RenewalChecks::allOrNone);
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

  private static Renewal renew(Side side, MatrixStack source, Basis basis, int r, double most) {
    RenewRequest request = new RenewRequest(source, basis, r, most);
    return side.backend().renew(List.of(request)).get(0)[0];
  }

  /** All bases are of eigenvectors. */
  private static Measured zero(Side side) {
    MatrixStack stack = side.basis(5, new double[25]);
    RenewRequest request = new RenewRequest(side.zeros(1, 5, 5), new Basis(stack, 0), 2, 0.01);
    Renewal renewal = side.backend().renew(List.of(request)).get(0)[0];
    demand(renewal.accepted() && renewal.share() == 0, "%s", renewal);
    double[] q = LiteralBackend.columns(request.renewed(), 0);
    return new Measured(notOrthonormal(q, 5), TOLERANCE);
  }

  /** The largest element of {@code Q'Q - I}. */
  private static double notOrthonormal(double[] q, int n) {
    double[] gram = Literal.multiply(Literal.transpose(q, n, n), q, n, n, n);
    return largest(Fixtures.damped(gram, n, 1, -1));
  }

  /** A multiple of the identity, of whose squares one vector knows a quarter. */
  private static void refused(Side side, double element) {
    double[] identity = Fixtures.damped(new double[16], 4, 0, 1);
    MatrixStack basis = side.basis(4, identity);
    double[] matrix = Arrays.stream(identity).map(x -> x * element).toArray();
    MatrixStack source = side.stack(1, 4, 4, matrix);
    Renewal renewal = renew(side, source, new Basis(basis, 0), 1, 0.7);
    demand(!renewal.accepted(), "accepted with the share %s", renewal.share());
    demand(renewal.rotation() == null, "a rotation that was not made");
    boolean known =
        Double.isNaN(element)
            ? Double.isNaN(renewal.share())
            : Math.abs(renewal.share() - 0.75) < TOLERANCE;
    demand(known, "the share is %s", renewal.share());
    demand(Arrays.equals(basis.toArray(), identity), "the basis has changed");
  }

  /** One basis of two that is refused takes the other along. */
  private static void allOrNone(Side side) {
    double[] matrices = new double[32];
    matrices[0] = 1;
    System.arraycopy(Fixtures.damped(new double[16], 4, 0, 1), 0, matrices, 16, 16);
    MatrixStack basis = side.zeros(2, 4, 4);
    RenewRequest request =
        new RenewRequest(side.stack(2, 4, 4, matrices), new Basis(basis, 0), 1, 0.5);
    Renewal[] results = side.backend().renew(List.of(request)).get(0);
    demand(!results[0].accepted() && !results[1].accepted(), "one of two was accepted");
    demand(results[0].share() < TOLERANCE, "the share is %s", results[0].share());
    demand(Arrays.equals(basis.toArray(), new double[32]), "a basis has changed");
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
          MatrixStack stack = side.basis(n, new double[n * n]);
          MatrixStack source = side.stack(1, n, n, before);
          RenewRequest first = new RenewRequest(source, new Basis(stack, 0), r, 1);
          double error = error(side, source, first, null, n, r);
          double[] old = LiteralBackend.columns(first.renewed(), 0);
          source.set(now);
          RenewRequest second = new RenewRequest(source, first.renewed(), r, 1);
          return new Measured(Math.max(error, error(side, source, second, old, n, r)), TOLERANCE);
        });
  }

  /** Renews a basis; old vectors are null where there were none. */
  private static double error(
      Side side, MatrixStack source, RenewRequest request, double[] old, int n, int r) {
    Renewal renewal = side.backend().renew(List.of(request)).get(0)[0];
    demand(renewal.accepted(), "refused with the share %s", renewal.share());
    double[] a = source.toArray();
    double[] q = LiteralBackend.columns(request.renewed(), 0);
    double[] lead = columns(q, n, r);
    double error = notOrthonormal(q, n);
    // the leading vectors span what Y does, and A is diagonal in them
    if (r < n) {
      double[] y = old == null ? signs(n, r) : columns(old, n, r);
      for (int i = 0; i < (old == null ? RenewRequest.FIRST : 1); i++) {
        y = orthonormal(a, y, n, r);
      }
      double[] onY = Literal.multiply(Literal.transpose(y, n, r), lead, r, n, r);
      double[] left = Literal.multiply(y, onY, n, r, r);
      Arrays.setAll(left, i -> left[i] - lead[i]);
      error = Math.max(error, largest(left));
    }
    double[] leadRows = Literal.transpose(lead, n, r);
    double[] ritz = Literal.multiply(Literal.multiply(leadRows, a, r, n, n), lead, r, n, r);
    double norm = Literal.norm(a, n);
    double squares = 0;
    double rising = r < n ? -1 : 1;
    for (int i = 0; i < r; i++) {
      double value = ritz[i * (r + 1)];
      squares += value * value;
      error = Math.max(error, Math.abs(value - renewal.values()[i]) / norm);
      double step = i == 0 ? 0 : rising * (value - ritz[(i - 1) * (r + 1)]);
      demand(i == 0 || step > -TOLERANCE * norm, "order");
    }
    for (int i = 0; i < r; i++) {
      ritz[i * (r + 1)] = 0;
    }
    error = Math.max(error, largest(ritz) / norm);
    if (old != null) {
      double[] rotation =
          Literal.multiply(Literal.transpose(columns(old, n, r), n, r), lead, r, n, r);
      Arrays.setAll(rotation, i -> Math.abs(rotation[i]) - Math.abs(renewal.rotation()[i]));
      error = Math.max(error, largest(rotation));
    }
    double share = Math.max(0, 1 - squares / Literal.dot(a, a));
    return Math.max(error, Math.abs(share - renewal.share()));
  }

  private static double[] signs(int n, int r) {
    double[] signs = new double[n * r];
    Arrays.setAll(signs, i -> RenewRequest.sign(i % r, i / r));
    return signs;
  }

  /** {@code (A + shift I) X}, each column made orthogonal to those before it. */
  private static double[] orthonormal(double[] a, double[] x, int n, int r) {
    double shift = Renewal.SHIFT * Literal.trace(a, n) / n;
    double[] z = Literal.multiply(Fixtures.damped(a, n, 1, shift), x, n, n, r);
    for (int j = 0; j < r; j++) {
      for (int pass = 0; pass < 3; pass++) {
        for (int larger = 0; larger < j; larger++) {
          double dot = dot(z, j, z, larger, r);
          for (int i = 0; i < n; i++) {
            z[i * r + j] -= dot * z[i * r + larger];
          }
        }
        double length = Math.sqrt(dot(z, j, z, j, r));
        for (int i = 0; i < n; i++) {
          z[i * r + j] /= length;
        }
      }
    }
    return z;
  }

  /** The first columns. */
  private static double[] columns(double[] q, int n, int width) {
    double[] part = new double[n * width];
    for (int i = 0; i < n; i++) {
      System.arraycopy(q, i * n, part, i * width, width);
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
