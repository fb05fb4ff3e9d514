package io.github.kfac4j.inversion;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.Basis;
import io.github.kfac4j.backend.BasisPreconditionRequest;
import io.github.kfac4j.backend.DecomposeRequest;
import io.github.kfac4j.backend.Gradient;
import io.github.kfac4j.backend.InverseAccuracy;
import io.github.kfac4j.backend.InvertRequest;
import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.backend.Status;
import io.github.kfac4j.tensor.HostTensor;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/**
 * Damped inverses through eigenvalues: {@code Q diag(1 / (max(d, 0) + damping)) Q'}. Rounding that
 * left a factor indefinite does no harm here.
 */
final class EigenInversion {
  private final Backend backend;
  private final Map<InvertRequest, String[]> fallbacks = new IdentityHashMap<>();

  EigenInversion(Backend backend) {
    this.backend = backend;
  }

  List<Status[]> invert(List<InvertRequest> inversions) {
    List<DecomposeRequest> requests = new ArrayList<>();
    try {
      for (InvertRequest inversion : inversions) {
        requests.add(RobustDecomposition.request(backend, inversion.source(), inversion.scale()));
      }
      List<RobustDecomposition.DecompositionOutcome> outcomes =
          RobustDecomposition.decompose(backend, requests);
      for (int i = 0; i < inversions.size(); i++) {
        RobustDecomposition.DecompositionOutcome outcome = outcomes.get(i);
        assemble(inversions.get(i), requests.get(i), outcome.statuses());
        fallbacks.put(inversions.get(i), outcome.words());
      }
      return outcomes.stream().map(RobustDecomposition.DecompositionOutcome::statuses).toList();
    } finally {
      requests.forEach(RobustDecomposition::close);
    }
  }

  /** The fallback that each decomposition took, where it needed one. */
  String[] fallbacks(InvertRequest inversion) {
    return fallbacks.getOrDefault(inversion, new String[inversion.source().count()]);
  }

  /** Preconditions the identity in the basis: what comes out is the inverse. */
  private void assemble(InvertRequest inversion, DecomposeRequest result, Status[] statuses) {
    int count = statuses.length;
    int n = inversion.source().rows();
    double[] values = result.values().toArray();
    double[] damped = new double[values.length];
    double smallest = Double.POSITIVE_INFINITY;
    for (int k = 0; k < count; k++) {
      for (int i = k * n; i < (k + 1) * n; i++) {
        damped[i] = Math.max(0, values[i]) + inversion.damping()[k];
        if (statuses[k].ok() && !(damped[i] > 0)) {
          statuses[k] = Status.notPositiveDefinite(i - k * n);
        }
        damped[i] = statuses[k].ok() ? damped[i] : 1;
        smallest = Math.min(smallest, damped[i]);
      }
    }
    double[] rows = new double[count * n * n];
    double[] identity = new double[count * n * n];
    for (int i = 0; i < rows.length; i++) {
      rows[i] = damped[i / n] - smallest;
      identity[i] = i / n % n == i % n ? 1 : 0;
    }
    HostTensor inverse = HostTensor.of(identity, count * n, n);
    Gradient gradient = new Gradient(inverse, null);
    try (MatrixStack moments = backend.allocateBasis(count, n, n)) {
      moments.set(rows);
      backend.preconditionInBasis(
          List.of(
              new BasisPreconditionRequest(
                  Basis.ofColumns(result.vectors()),
                  null,
                  moments,
                  1,
                  smallest,
                  gradient,
                  gradient)));
    }
    try (MatrixStack made = backend.allocate(count, n, n)) {
      Stacks.replace(made, identity, k -> true);
      double[] rounded = made.toArray();
      test(inversion, rounded, result, statuses);
      Stacks.replace(inversion.inverse(), rounded, k -> statuses[k].ok());
    }
  }

  /** Holds inverses to the bound that {@link Backend#invert} keeps. */
  private static void test(
      InvertRequest inversion, double[] inverse, DecomposeRequest result, Status[] statuses) {
    int n = inversion.source().rows();
    double[] source = inversion.source().toArray();
    double[] vectors = result.vectors().toArray();
    double[] values = result.values().toArray();
    for (int k = 0; k < statuses.length; k++) {
      if (statuses[k].ok() && !Stacks.finite(inverse, k, n)) {
        statuses[k] = Status.NOT_FINITE;
      }
      if (statuses[k].ok()) {
        int at = k;
        statuses[k] =
            InverseAccuracy.test(
                source,
                k * n * n,
                n,
                inversion.scale(),
                inversion.damping()[k],
                inverse,
                z -> withoutNegatives(vectors, values, at, z));
      }
    }
  }

  /** What it adds to {@code M z} that negative eigenvalues are set to zero. */
  private static double[] withoutNegatives(double[] vectors, double[] values, int k, double[] z) {
    int n = z.length;
    double[] sum = new double[n];
    for (int e = 0; e < n && values[k * n + e] < 0; e++) { // they come first
      double dot = 0;
      for (int i = 0; i < n; i++) {
        dot += vectors[(k * n + i) * n + e] * z[i];
      }
      for (int i = 0; i < n; i++) {
        sum[i] -= values[k * n + e] * dot * vectors[(k * n + i) * n + e];
      }
    }
    return sum;
  }
}
