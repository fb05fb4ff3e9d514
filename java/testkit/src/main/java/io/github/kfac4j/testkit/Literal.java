package io.github.kfac4j.testkit;

import io.github.kfac4j.samples.ChannelSamples;
import io.github.kfac4j.samples.ImageLayout;
import io.github.kfac4j.samples.PatchSamples;
import io.github.kfac4j.samples.RowSamples;
import io.github.kfac4j.samples.Samples;
import io.github.kfac4j.samples.Window;

/**
 * Definitions written out as loops in fp64, as plainly as they can be: the reference of the
 * reference.
 */
public final class Literal {
  private Literal() {}

  /** The patches of one group as {@code [rows][dim]}, by the definition of a convolution. */
  public static double[][] patches(double[] image, PatchSamples s, int group) {
    Window w = s.window();
    int channels = s.groupChannels();
    double[][] rows = new double[(int) s.rows()][s.dim()];
    int row = 0;
    for (int n = 0; n < s.examples(); n++) {
      for (int oy = 0; oy < s.outputHeight(); oy++) {
        for (int ox = 0; ox < s.outputWidth(); ox++, row++) {
          for (int c = 0; c < channels; c++) {
            for (int kh = 0; kh < w.kernelHeight(); kh++) {
              for (int kw = 0; kw < w.kernelWidth(); kw++) {
                int y = oy * w.strideHeight() + kh * w.dilationHeight() - w.paddingHeight();
                int x = ox * w.strideWidth() + kw * w.dilationWidth() - w.paddingWidth();
                if (y >= 0 && y < s.height() && x >= 0 && x < s.width()) {
                  int channel = group * channels + c;
                  int at =
                      s.layout() == ImageLayout.NCHW
                          ? ((n * s.channels() + channel) * s.height() + y) * s.width() + x
                          : ((n * s.height() + y) * s.width() + x) * s.channels() + channel;
                  rows[row][(c * w.kernelHeight() + kh) * w.kernelWidth() + kw] = image[at];
                }
              }
            }
          }
          if (s.bias()) {
            rows[row][s.dim() - 1] = 1;
          }
        }
      }
    }
    return rows;
  }

  /** The vectors of one group as {@code [rows][dim]}. */
  public static double[][] rows(double[] data, Samples samples, int group) {
    if (samples instanceof PatchSamples s) {
      return patches(data, s, group);
    }
    double[][] rows = new double[(int) samples.rows()][samples.dim()];
    for (int r = 0; r < rows.length; r++) {
      for (int i = 0; i < samples.dim(); i++) {
        rows[r][i] = element(data, samples, group, r, i);
      }
    }
    return rows;
  }

  private static double element(double[] data, Samples samples, int group, int row, int i) {
    if (samples instanceof RowSamples s) {
      return i == s.width() ? 1 : data[(row * s.groups() + group) * s.width() + i];
    }
    ChannelSamples s = (ChannelSamples) samples;
    int example = row / s.positions();
    int channel = (example * s.groups() + group) * s.dim() + i;
    return data[channel * s.positions() + row % s.positions()];
  }

  /** {@code sum over rows of x x'}, flat. */
  public static double[] secondMoment(double[][] rows) {
    int n = rows[0].length;
    double[] m = new double[n * n];
    for (double[] x : rows) {
      for (int i = 0; i < n; i++) {
        for (int j = 0; j < n; j++) {
          m[i * n + j] += x[i] * x[j];
        }
      }
    }
    return m;
  }

  /** {@code A B}, flat, A {@code m x k}. */
  public static double[] multiply(double[] a, double[] b, int m, int k, int n) {
    double[] c = new double[m * n];
    for (int i = 0; i < m; i++) {
      for (int p = 0; p < k; p++) {
        for (int j = 0; j < n; j++) {
          c[i * n + j] += a[i * k + p] * b[p * n + j];
        }
      }
    }
    return c;
  }

  /** {@code x'y}. */
  public static double dot(double[] x, double[] y) {
    double sum = 0;
    for (int i = 0; i < x.length; i++) {
      sum += x[i] * y[i];
    }
    return sum;
  }

  /** The transpose of a flat {@code m x n} matrix. */
  public static double[] transpose(double[] a, int m, int n) {
    double[] t = new double[m * n];
    for (int i = 0; i < m; i++) {
      for (int j = 0; j < n; j++) {
        t[j * m + i] = a[i * n + j];
      }
    }
    return t;
  }

  /** The Kronecker product of an {@code m x m} and an {@code n x n} matrix. */
  public static double[] kronecker(double[] a, int m, double[] b, int n) {
    int size = m * n;
    double[] k = new double[size * size];
    for (int i = 0; i < size; i++) {
      for (int j = 0; j < size; j++) {
        k[i * size + j] = a[i / n * m + j / n] * b[i % n * n + j % n];
      }
    }
    return k;
  }

  /** The inverse by Gauss-Jordan elimination with partial pivoting. */
  public static double[] inverse(double[] matrix, int n) {
    double[] a = matrix.clone();
    double[] inverse = new double[n * n];
    for (int i = 0; i < n; i++) {
      inverse[i * n + i] = 1;
    }
    for (int k = 0; k < n; k++) {
      int pivot = k;
      for (int i = k + 1; i < n; i++) {
        if (Math.abs(a[i * n + k]) > Math.abs(a[pivot * n + k])) {
          pivot = i;
        }
      }
      swapRows(a, n, k, pivot);
      swapRows(inverse, n, k, pivot);
      double reciprocal = 1 / a[k * n + k];
      for (int j = 0; j < n; j++) {
        a[k * n + j] *= reciprocal;
        inverse[k * n + j] *= reciprocal;
      }
      for (int i = 0; i < n; i++) {
        double f = a[i * n + k];
        if (i != k && f != 0) {
          for (int j = 0; j < n; j++) {
            a[i * n + j] -= f * a[k * n + j];
            inverse[i * n + j] -= f * inverse[k * n + j];
          }
        }
      }
    }
    return inverse;
  }

  /** The spectral norm of a flat {@code n x n} matrix, by power iteration on {@code A'A}. */
  public static double norm(double[] a, int n) {
    double[] x = new double[n];
    for (int i = 0; i < n; i++) {
      x[i] = Math.cos(i * i + 1);
    }
    double norm = 0;
    for (int step = 0; step < 40; step++) {
      double length = Math.sqrt(multiply(x, x, 1, n, 1)[0]);
      for (int i = 0; i < n && length > 0; i++) {
        x[i] /= length;
      }
      double[] ax = multiply(a, x, n, n, 1);
      norm = Math.max(norm, Math.sqrt(multiply(ax, ax, 1, n, 1)[0]));
      x = multiply(ax, a, 1, n, n);
    }
    return norm;
  }

  /** The first pivot of a Cholesky factorisation that is not positive, or -1 if all are. */
  public static int firstPivotNotPositive(double[] matrix, int n) {
    double[] l = new double[n * n];
    for (int j = 0; j < n; j++) {
      for (int i = j; i < n; i++) {
        double sum = matrix[i * n + j];
        for (int k = 0; k < j; k++) {
          sum -= l[i * n + k] * l[j * n + k];
        }
        if (i == j && !(sum > 0)) {
          return j;
        }
        l[i * n + j] = i == j ? Math.sqrt(sum) : sum / l[j * n + j];
      }
    }
    return -1;
  }

  /** The sum of the diagonal of a flat {@code n x n} matrix. */
  public static double trace(double[] a, int n) {
    double sum = 0;
    for (int i = 0; i < n; i++) {
      sum += a[i * (n + 1)];
    }
    return sum;
  }

  /** A copy of flat {@code n x n} matrices with what lies below their diagonals also above. */
  public static double[] symmetric(double[] matrices, int n) {
    double[] symmetric = matrices.clone();
    for (int k = 0; k < matrices.length; k += n * n) {
      for (int i = 0; i < n; i++) {
        for (int j = 0; j < i; j++) {
          symmetric[k + j * n + i] = matrices[k + i * n + j];
        }
      }
    }
    return symmetric;
  }

  private static void swapRows(double[] a, int n, int i, int j) {
    for (int k = 0; k < n && i != j; k++) {
      double t = a[i * n + k];
      a[i * n + k] = a[j * n + k];
      a[j * n + k] = t;
    }
  }
}
