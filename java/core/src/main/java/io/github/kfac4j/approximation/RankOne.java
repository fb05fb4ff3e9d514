package io.github.kfac4j.approximation;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.DecomposeRequest;
import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.backend.Status;
import io.github.kfac4j.curvature.Fp32Range;
import io.github.kfac4j.inversion.RobustDecomposition;
import io.github.kfac4j.layer.FlattenedDense;
import io.github.kfac4j.layer.Separated;
import io.github.kfac4j.layer.Vectors;
import io.github.kfac4j.samples.RowSamples;
import io.github.kfac4j.tensor.HostTensor;
import java.util.List;

/**
 * The nearest matrix of rank one to each feature map X, {@code s u v'} with the largest singular
 * value s, split evenly: {@code psi = sqrt(s) u} along positions, {@code phi = sqrt(s) v} along
 * channels. Singular vectors come from the eigenvectors of XX' or X'X, whichever is smaller.
 */
public final class RankOne {
  /** Elements of the products XX' that are held at once. */
  private static final int CHUNK = 1 << 20;

  private final Backend backend;
  private final FlattenedDense layer;

  public RankOne(Backend backend, FlattenedDense layer) {
    this.backend = backend;
    this.layer = layer;
  }

  /**
   * Splits the inputs of all examples.
   *
   * @throws IllegalArgumentException if the input is not in host memory or has no singular vectors
   */
  public Separated split(Vectors use) {
    int n = Math.toIntExact(use.a().rows());
    int p = layer.positions();
    int c = layer.channels();
    double[] maps = layer.featureMaps(use);
    int[] halves = normalise(maps, n);
    double[] psi = new double[n * p];
    double[] phi = new double[n * c];
    int small = Math.min(p, c);
    int step = Math.max(1, CHUNK / (small * small));
    for (int first = 0; first < n; first += step) {
      int count = Math.min(step, n - first);
      double[] vectors = top(maps, first, count);
      for (int i = 0; i < count; i++) {
        split(maps, first + i, vectors, i * small, psi, phi);
      }
    }
    for (int i = 0; i < psi.length; i++) {
      psi[i] = Math.scalb(psi[i], halves[i / p]);
    }
    for (int i = 0; i < phi.length; i++) {
      phi[i] = Math.scalb(phi[i], halves[i / c]);
    }
    return new Separated(rows(psi, n, p), rows(phi, n, c), use.g(), use.examples());
  }

  /**
   * Divides maps whose squares have no room in fp32 by even powers of two; returns half of each
   * exponent, which is what psi and phi lack then.
   */
  private static int[] normalise(double[] maps, int n) {
    int size = maps.length / n;
    int[] halves = new int[n];
    for (int k = 0; k < n; k++) {
      double largest = 0;
      for (int i = k * size; i < (k + 1) * size; i++) {
        largest = Math.max(largest, Math.abs(maps[i]));
      }
      if (!Fp32Range.isOrdinary(largest)) {
        halves[k] = Math.getExponent(largest) / 2;
        for (int i = k * size; i < (k + 1) * size; i++) {
          maps[i] = Math.scalb(maps[i], -2 * halves[k]);
        }
      }
    }
    return halves;
  }

  private static RowSamples rows(double[] data, int n, int width) {
    return new RowSamples(HostTensor.of(data, n, width), n, 1, 1, width, false);
  }

  /** The leading eigenvectors of the smaller products of some examples. */
  private double[] top(double[] maps, int first, int count) {
    int p = layer.positions();
    int c = layer.channels();
    int m = Math.min(p, c);
    double[] products = new double[count * m * m];
    for (int k = 0; k < count; k++) {
      int map = (first + k) * p * c;
      for (int i = 0; i < m; i++) {
        for (int j = 0; j <= i; j++) {
          double dot = 0;
          for (int l = 0; l < Math.max(p, c); l++) {
            dot +=
                p <= c
                    ? maps[map + i * c + l] * maps[map + j * c + l]
                    : maps[map + l * c + i] * maps[map + l * c + j];
          }
          products[(k * m + i) * m + j] = dot;
          products[(k * m + j) * m + i] = dot;
        }
      }
    }
    double[] leading = new double[count * m];
    try (MatrixStack source = backend.allocate(count, m, m);
        MatrixStack vectors = backend.allocateBasis(count, m, m);
        MatrixStack values = backend.allocateBasis(count, 1, m)) {
      source.set(products);
      Status[] statuses =
          RobustDecomposition.decompose(
                  backend, List.of(new DecomposeRequest(source, 1, vectors, values)))
              .get(0)
              .statuses();
      double[] all = vectors.toArray();
      for (int k = 0; k < count; k++) {
        if (!statuses[k].ok()) {
          throw new IllegalArgumentException(
              "the feature map of example %d has no singular vectors: %s"
                  .formatted(first + k, statuses[k]));
        }
        for (int i = 0; i < m; i++) {
          leading[k * m + i] = all[(k * m + i) * m + m - 1];
        }
      }
    }
    return leading;
  }

  /** Given one singular vector the other is X times it, of length s. */
  private void split(
      double[] maps, int example, double[] vectors, int v0, double[] psi, double[] phi) {
    int p = layer.positions();
    int c = layer.channels();
    boolean left = p <= c;
    double[] other = new double[left ? c : p];
    for (int i = 0; i < p; i++) {
      for (int j = 0; j < c; j++) {
        double x = maps[(example * p + i) * c + j];
        other[left ? j : i] += x * vectors[v0 + (left ? i : j)];
      }
    }
    double s = 0;
    for (double x : other) {
      s += x * x;
    }
    s = Math.sqrt(s);
    double root = Math.sqrt(s);
    for (int i = 0; i < p; i++) {
      psi[example * p + i] = left ? root * vectors[v0 + i] : s == 0 ? 0 : other[i] / root;
    }
    for (int j = 0; j < c; j++) {
      phi[example * c + j] = left ? s == 0 ? 0 : other[j] / root : root * vectors[v0 + j];
    }
  }
}
