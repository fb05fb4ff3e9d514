package io.github.kfac4j.benchmarks.run;

import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.benchmarks.cases.ConvCase;
import io.github.kfac4j.reference.JavaBackend;
import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.tensor.Tensor;
import java.util.Arrays;

/**
 * The vectors x of a second moment, written out in fp64 by the reference, one example at a time.
 */
final class ReferenceSamples {
  /** Writes out the rows of one example, {@code [positions, dim]}. */
  private interface Reader {
    double[] example(int n);
  }

  private final int examples;
  private final int dim;
  private final Reader reader;

  private ReferenceSamples(int examples, int dim, Reader reader) {
    this.examples = examples;
    this.dim = dim;
    this.reader = reader;
  }

  /** The patches of a convolution. */
  static ReferenceSamples of(ConvCase c, float[] images) {
    int size = images.length / c.examples();
    return new ReferenceSamples(
        c.examples(),
        c.dim(),
        n -> {
          float[] image = Arrays.copyOfRange(images, n * size, (n + 1) * size);
          Tensor tensor = HostTensor.of(image, 1, c.channels(), c.size(), c.size());
          try (JavaBackend java = new JavaBackend();
              MatrixStack patches = java.allocate(1, c.rows() / c.examples(), c.dim())) {
            java.patches(c.patches(tensor, 1), patches);
            return patches.toArray();
          }
        });
  }

  /** Rows, each followed by 1 if there is a bias. */
  static ReferenceSamples dense(float[] data, int rows, boolean bias) {
    int width = data.length / rows;
    return new ReferenceSamples(
        rows,
        width + (bias ? 1 : 0),
        n -> {
          double[] row = new double[width + (bias ? 1 : 0)];
          row[row.length - 1] = 1;
          for (int i = 0; i < width; i++) {
            row[i] = data[n * width + i];
          }
          return row;
        });
  }

  /** Images [examples, channels, positions]: one row for each position, its channels. */
  static ReferenceSamples channels(float[] data, int examples, int channels) {
    int positions = data.length / examples / channels;
    return new ReferenceSamples(
        examples,
        channels,
        n -> {
          double[] rows = new double[positions * channels];
          for (int c = 0; c < channels; c++) {
            for (int t = 0; t < positions; t++) {
              rows[t * channels + c] = data[(n * channels + c) * positions + t];
            }
          }
          return rows;
        });
  }

  int dim() {
    return dim;
  }

  int examples() {
    return examples;
  }

  /** {@code (1/N) (sum of x x') v}. */
  double[] moment(double[] v) {
    double[] sum = new double[dim];
    for (int n = 0; n < examples; n++) {
      double[] rows = reader.example(n);
      for (int r = 0; r < rows.length; r += dim) {
        double product = 0;
        for (int i = 0; i < dim; i++) {
          product += rows[r + i] * v[i];
        }
        product /= examples;
        for (int i = 0; i < dim; i++) {
          sum[i] += product * rows[r + i];
        }
      }
    }
    return sum;
  }

  /** The trace of {@code (1/N) sum of x x'}. */
  double trace() {
    double sum = 0;
    for (int n = 0; n < examples; n++) {
      for (double x : reader.example(n)) {
        sum += x * x;
      }
    }
    return sum / examples;
  }

  /** All rows against an array of them. */
  double largestDifference(float[] actual) {
    double worst = 0;
    int at = 0;
    for (int n = 0; n < examples; n++) {
      for (double x : reader.example(n)) {
        double d = Math.abs(x - actual[at++]);
        worst = Math.max(worst, d); // NaN if one is
      }
    }
    return worst;
  }
}
