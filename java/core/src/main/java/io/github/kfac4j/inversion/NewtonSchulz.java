package io.github.kfac4j.inversion;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.Gradient;
import io.github.kfac4j.backend.InverseAccuracy;
import io.github.kfac4j.backend.InvertRequest;
import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.backend.PreconditionRequest;
import io.github.kfac4j.backend.Status;
import io.github.kfac4j.tensor.HostTensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Damped inverses by the iteration {@code X <- 2 X - X M X} (Schulz 1933), which converges
 * quadratically where {@code |I - X M| < 1}. It starts from the last inverse if that is near
 * enough, else from {@code I / |M|_inf}. An inverse is accepted by its residual alone: else the
 * status is {@link Status#NOT_CONVERGED} and the old one stays.
 */
final class NewtonSchulz {
  /** Enough for condition numbers that fp32 can invert at all. */
  private static final int MAX_ITERATIONS = 60;

  /** A start this near leaves a few iterations. */
  private static final double WARM = 0.9;

  private final Backend backend;
  private final double bound;

  NewtonSchulz(Backend backend, double bound) {
    this.backend = backend;
    this.bound = bound;
  }

  List<Status[]> invert(List<InvertRequest> inversions) {
    List<Status[]> statuses = new ArrayList<>();
    inversions.forEach(inversion -> statuses.add(invert(inversion)));
    return statuses;
  }

  private Status[] invert(InvertRequest inversion) {
    int n = inversion.source().rows();
    int count = inversion.source().count();
    double[] m = damped(inversion);
    try (MatrixStack x = backend.allocate(count, n, n);
        MatrixStack identity = backend.allocate(count, n, n)) {
      double[] ones = new double[count * n * n];
      for (int i = 0; i < count * n; i++) {
        ones[i * n + i % n] = 1;
      }
      identity.set(ones);
      x.set(start(inversion.inverse(), m, residuals(inversion.inverse(), m, identity)));
      double[] change = new double[count];
      Arrays.fill(change, Double.POSITIVE_INFINITY);
      for (int i = 0; i < MAX_ITERATIONS && !converged(change); i++) {
        iterate(x, m, change);
      }
      double[] residuals = residuals(x, m, identity);
      Status[] statuses = new Status[count];
      Arrays.setAll(statuses, k -> residuals[k] <= bound ? Status.OK : Status.NOT_CONVERGED);
      Stacks.replace(x, x.toArray(), k -> true);
      double[] inverse = x.toArray();
      for (int k = 0; k < count; k++) {
        if (statuses[k].ok()) {
          // the residual was a product in the backend's precision; this is not
          statuses[k] = InverseAccuracy.test(m, k * n * n, n, 1, 0, inverse);
        }
      }
      Stacks.replace(inversion.inverse(), inverse, k -> statuses[k].ok());
      return statuses;
    }
  }

  private static double[] damped(InvertRequest inversion) {
    int n = inversion.source().rows();
    double[] m = inversion.source().toArray();
    for (int i = 0; i < m.length; i++) {
      boolean diagonal = i / n % n == i % n;
      m[i] = inversion.scale() * m[i] + (diagonal ? inversion.damping()[i / n / n] : 0);
    }
    return m;
  }

  /** {@code |I - X M|_F / sqrt(n)} of each matrix. */
  private double[] residuals(MatrixStack x, double[] m, MatrixStack identity) {
    int n = x.rows();
    double[] product = product(x, m, identity);
    double[] residuals = new double[x.count()];
    for (int i = 0; i < product.length; i++) {
      double r = (i / n % n == i % n ? 1 : 0) - product[i];
      residuals[i / n / n] += r * r / n;
    }
    Arrays.setAll(residuals, k -> Math.sqrt(residuals[k]));
    return residuals;
  }

  /** {@code X M Y}. */
  private double[] product(MatrixStack x, double[] m, MatrixStack y) {
    int n = x.rows();
    double[] result = new double[m.length];
    HostTensor from = HostTensor.of(m, m.length / n, n);
    HostTensor to = HostTensor.of(result, m.length / n, n);
    backend.precondition(
        List.of(
            new PreconditionRequest(x, y, 1, new Gradient(from, null), new Gradient(to, null))));
    return result;
  }

  private static double[] start(MatrixStack last, double[] m, double[] residuals) {
    int n = last.rows();
    double[] x = last.toArray();
    for (int k = 0; k < residuals.length; k++) {
      // in the Frobenius norm, which bounds the spectral one
      if (residuals[k] * Math.sqrt(n) <= WARM) {
        continue;
      }
      double norm = 0;
      for (int i = k * n; i < (k + 1) * n; i++) {
        double sum = 0;
        for (int j = 0; j < n; j++) {
          sum += Math.abs(m[i * n + j]);
        }
        norm = Math.max(norm, sum);
      }
      for (int i = k * n * n; i < (k + 1) * n * n; i++) {
        x[i] = i / n % n == i % n ? 1 / norm : 0;
      }
    }
    return x;
  }

  /** One step for all matrices; {@code change} becomes {@code |X - X M X|_F / |X|_F}. */
  private void iterate(MatrixStack stack, double[] m, double[] change) {
    int size = stack.rows() * stack.rows();
    double[] x = stack.toArray();
    double[] next = product(stack, m, stack);
    for (int k = 0; k < change.length; k++) {
      double difference = 0;
      double norm = 0;
      for (int i = k * size; i < (k + 1) * size; i++) {
        difference += (x[i] - next[i]) * (x[i] - next[i]);
        norm += x[i] * x[i];
        next[i] = 2 * x[i] - next[i];
      }
      double now = Math.sqrt(difference / norm);
      // at the limit of the precision it stops shrinking: then the last X is as good as it gets
      boolean worse = change[k] < 0.1 && !(now < change[k]);
      if (worse) {
        System.arraycopy(x, k * size, next, k * size, size);
      }
      change[k] = worse ? 0 : now;
    }
    Stacks.replace(stack, next, k -> true);
  }

  private static boolean converged(double[] change) {
    return Arrays.stream(change).allMatch(c -> !(c > 1e-14));
  }
}
