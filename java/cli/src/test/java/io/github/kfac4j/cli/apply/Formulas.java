package io.github.kfac4j.cli.apply;

import io.github.kfac4j.testkit.Fixtures;
import io.github.kfac4j.testkit.Literal;
import java.util.Arrays;

/** What each convention does to one group of a layer, written out from the libraries' formulas. */
final class Formulas {
  private final String convention;
  private final SampleLayer layer;
  private final int group;
  private final double n;
  private final double t;

  Formulas(String convention, SampleLayer layer, int group) {
    this.convention = convention;
    this.layer = layer;
    this.group = group;
    this.n = layer.examples();
    this.t = layer.positions();
  }

  private boolean means() {
    return convention.equals("kfac-jax") || convention.equals("tensorflow-kfac");
  }

  /** What kfac-jax multiplies moments of the empirical Fisher by, besides. */
  private double again() {
    return convention.equals("kfac-jax") ? 1 / n : 1;
  }

  /** A, undamped. */
  double[] a() {
    double[] sum = Literal.secondMoment(layer.inputRows(group));
    return times(
        sum,
        switch (convention) {
          case "kfc" -> 1 / n;
          case "kfac-pytorch" -> layer.convolution() ? 1 / (n * t) / (t * t) : 1 / (n * t);
          default -> 1 / (n * t);
        });
  }

  /** G, undamped. */
  double[] g() {
    double mean = 1 / (n * t);
    double[] sum = Literal.secondMoment(layer.gradRows(group));
    if (!convention.equals("kfac-pytorch")) {
      return times(sum, mean * again());
    }
    // gradients of the mean loss; a convolution's are divided by T once more
    return times(sum, mean / (n * n) / (layer.convolution() ? t * t : 1));
  }

  double pi() {
    int dimA = layer.dimA();
    int dimG = layer.dimG();
    return Math.sqrt((trace(a(), dimA) / dimA) / (trace(g(), dimG) / dimG));
  }

  /** What factored damping adds to A and to G. */
  double[] dampings(double lambda) {
    if (convention.equals("kfac-pytorch")) {
      return new double[] {lambda, lambda};
    }
    double share = Math.sqrt(means() ? lambda / t : lambda);
    if (convention.equals("kfac-jax") && layer.dimG() == 1) {
      return new double[] {share * share / g()[0], 0};
    }
    return new double[] {pi() * share, share / pi()};
  }

  double[] factored(double lambda) {
    int dimA = layer.dimA();
    int dimG = layer.dimG();
    double[] damping = dampings(lambda);
    double[] left = Literal.inverse(Fixtures.damped(g(), dimG, 1, damping[1]), dimG);
    double[] right = Literal.inverse(Fixtures.damped(a(), dimA, 1, damping[0]), dimA);
    double[] u = Literal.multiply(left, layer.gradient(group), dimG, dimG, dimA);
    return times(Literal.multiply(u, right, dimG, dimA, dimA), means() ? 1 / t : 1);
  }

  /** The damped Kronecker product, formed as one matrix and inverted. */
  double[] exact(double lambda) {
    int size = layer.dimA() * layer.dimG();
    double[] block = Literal.kronecker(g(), layer.dimG(), a(), layer.dimA());
    double[] inverse = Literal.inverse(Fixtures.damped(block, size, means() ? t : 1, lambda), size);
    return Literal.multiply(inverse, layer.gradient(group), size, size, 1);
  }

  /** EKFAC: second moments of per-example gradients in the eigenbasis of the factors. */
  double[] ekfac(double lambda) {
    return ekfac(lambda, 0);
  }

  /** The same, moments starting from those of Kronecker factors. */
  double[] ekfac(double lambda, double decay) {
    double[] qg = eigenvectors(g(), layer.dimG());
    double[] qa = eigenvectors(a(), layer.dimA());
    return inBasis(qg, qa, lambda, decay);
  }

  /** {@code q' m q}, of which the diagonal is wanted. */
  private static double[] inBasis(double[] q, double[] m, int n) {
    return Literal.multiply(Literal.multiply(Literal.transpose(q, n, n), m, n, n, n), q, n, n, n);
  }

  /** Second moments of per-example gradients, weight by weight. */
  double[] diagonal(double lambda) {
    double[] qg = Fixtures.damped(new double[layer.dimG() * layer.dimG()], layer.dimG(), 0, 1);
    double[] qa = Fixtures.damped(new double[layer.dimA() * layer.dimA()], layer.dimA(), 0, 1);
    return inBasis(qg, qa, lambda, 0);
  }

  private double[] inBasis(double[] qg, double[] qa, double lambda, double decay) {
    int rows = layer.dimG();
    int cols = layer.dimA();
    double[][] a = layer.inputRows(group);
    double[][] g = layer.gradRows(group);
    double[] moments = new double[rows * cols];
    double[] eigenG = inBasis(qg, g(), rows);
    double[] eigenA = inBasis(qa, a(), cols);
    for (int i = 0; i < moments.length; i++) {
      double product = eigenG[i / cols * (rows + 1)] * eigenA[i % cols * (cols + 1)];
      moments[i] = decay * (means() ? t : 1) * product;
    }
    int positions = layer.positions();
    for (int example = 0; example < layer.examples(); example++) {
      double[] gradient = new double[rows * cols];
      for (int r = example * positions; r < (example + 1) * positions; r++) {
        for (int i = 0; i < gradient.length; i++) {
          gradient[i] += g[r][i / cols] * a[r][i % cols];
        }
      }
      double[] projected = project(Literal.transpose(qg, rows, rows), gradient, qa);
      for (int i = 0; i < moments.length; i++) {
        moments[i] += (1 - decay) * projected[i] * projected[i] / n * again();
      }
    }
    double[] u = project(Literal.transpose(qg, rows, rows), layer.gradient(group), qa);
    for (int i = 0; i < u.length; i++) {
      u[i] /= moments[i] + lambda;
    }
    return project(qg, u, Literal.transpose(qa, cols, cols));
  }

  private double[] project(double[] left, double[] m, double[] right) {
    int rows = layer.dimG();
    int cols = layer.dimA();
    return Literal.multiply(Literal.multiply(left, m, rows, rows, cols), right, rows, cols, cols);
  }

  /** Eigenvectors as columns, by Jacobi rotations. */
  static double[] eigenvectors(double[] symmetric, int n) {
    double[] m = symmetric.clone();
    double[] q = Fixtures.damped(new double[n * n], n, 0, 1);
    for (int sweep = 0; sweep < 20; sweep++) {
      for (int i = 0; i < n; i++) {
        for (int j = i + 1; j < n; j++) {
          double angle = 0.5 * Math.atan2(2 * m[i * n + j], m[i * n + i] - m[j * n + j]);
          rotate(m, i, j, n, n, angle);
          rotate(m, i * n, j * n, 1, n, angle);
          rotate(q, i, j, n, n, angle);
        }
      }
    }
    return q;
  }

  /** Turns two rows or columns, which start at x and y. */
  private static void rotate(double[] m, int x, int y, int stride, int n, double angle) {
    for (int k = 0; k < n; k++) {
      double mx = m[x + k * stride];
      double my = m[y + k * stride];
      m[x + k * stride] = Math.cos(angle) * mx + Math.sin(angle) * my;
      m[y + k * stride] = Math.cos(angle) * my - Math.sin(angle) * mx;
    }
  }

  static double[] times(double[] x, double factor) {
    return Arrays.stream(x).map(v -> v * factor).toArray();
  }

  private static double trace(double[] m, int n) {
    double sum = 0;
    for (int i = 0; i < n; i++) {
      sum += m[i * (n + 1)];
    }
    return sum;
  }
}
