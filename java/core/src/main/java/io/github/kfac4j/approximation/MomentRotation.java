package io.github.kfac4j.approximation;

import io.github.kfac4j.backend.Renewal;
import java.util.Arrays;

/**
 * What becomes of the diagonal of a block when one of its bases turns, see {@link Renewals}.
 *
 * @param size the number of leading vectors, which are the first of the basis
 * @param from for each new one the old ones it is made of
 * @param weights of each of those, times what it gathers beyond them
 * @param rest what the moments of all other vectors are multiplied by
 * @param oldShare of the squares of the factor that lay beyond the diagonal in the old basis, as
 *     far as is known
 */
record MomentRotation(int size, int[][] from, double[][] weights, double rest, double oldShare) {
  /** A squared cosine that is left out; all of one column sum to 1. */
  private static final double NEGLIGIBLE = 1e-4;

  /** Of the largest value: below it a factor stored in fp32 knows nothing. */
  private static final double ROUNDING = 0x1p-24;

  /** By what came of the renewal of the basis of a factor with the given trace. */
  static MomentRotation of(Renewal renewal, double trace) {
    double[] values = Arrays.stream(renewal.values()).map(d -> Math.max(0, d)).toArray();
    int r = values.length;
    double[] old = new double[r];
    int[][] from = new int[r][];
    double[][] weights = new double[r][];
    for (int i = 0; i < r; i++) {
      for (int j = 0; j < r; j++) {
        old[i] += renewal.rotation()[i * r + j] * renewal.rotation()[i * r + j] * values[j];
      }
    }
    double least = ROUNDING * Arrays.stream(values).max().orElse(0);
    for (int j = 0; j < r; j++) {
      combine(renewal.rotation(), r, j, from, weights);
      double carried = 0;
      for (int i = 0; i < from[j].length; i++) {
        carried += weights[j][i] * old[from[j][i]];
      }
      double gathered = ratio(values[j], carried, least);
      for (int i = 0; i < weights[j].length; i++) {
        weights[j][i] *= gathered;
      }
    }
    double restNow = Math.max(0, trace - Arrays.stream(values).sum());
    double restOld = Math.max(0, trace - Arrays.stream(old).sum());
    double all = squares(values) / (1 - renewal.share());
    double oldShare = Renewal.share(all, squares(old));
    return new MomentRotation(
        r, from, weights, ratio(restNow, restOld, ROUNDING * trace), oldShare);
  }

  private static double squares(double[] x) {
    return Arrays.stream(x).map(d -> d * d).sum();
  }

  private static double ratio(double now, double old, double least) {
    return old + least > 0 ? (now + least) / (old + least) : 1;
  }

  /** What new vector {@code j} is made of, by squared cosines. */
  private static void combine(double[] rotation, int r, int j, int[][] from, double[][] weights) {
    int[] places = new int[r];
    double[] squares = new double[r];
    int count = 0;
    double sum = 0;
    for (int i = 0; i < r; i++) {
      double square = rotation[i * r + j] * rotation[i * r + j];
      if (square > NEGLIGIBLE) {
        places[count] = i;
        squares[count++] = square;
        sum += square;
      }
    }
    if (count == 0) { // it came out of the rest
      places[0] = j;
      squares[0] = 1;
      sum = 1;
      count = 1;
    }
    from[j] = Arrays.copyOf(places, count);
    weights[j] = Arrays.copyOf(squares, count);
    for (int i = 0; i < count; i++) {
      weights[j][i] /= sum;
    }
  }

  /** Turns the basis that the columns of a matrix {@code [rows, cols]} belong to. */
  void columns(double[] m, int start, int rows, int cols) {
    double[] old = new double[size];
    for (int row = 0; row < rows; row++) {
      int at = start + row * cols;
      System.arraycopy(m, at, old, 0, size);
      for (int j = 0; j < size; j++) {
        double sum = 0;
        for (int i = 0; i < from[j].length; i++) {
          sum += weights[j][i] * old[from[j][i]];
        }
        m[at + j] = sum;
      }
      for (int i = at + size; i < at + cols; i++) {
        m[i] *= rest;
      }
    }
  }

  /** Turns the basis that its rows belong to. */
  void rows(double[] m, int start, int rows, int cols) {
    double[] old = Arrays.copyOfRange(m, start, start + size * cols);
    for (int j = 0; j < size; j++) {
      int at = start + j * cols;
      Arrays.fill(m, at, at + cols, 0);
      for (int i = 0; i < from[j].length; i++) {
        int row = from[j][i] * cols;
        for (int c = 0; c < cols; c++) {
          m[at + c] += weights[j][i] * old[row + c];
        }
      }
    }
    for (int i = start + size * cols; i < start + rows * cols; i++) {
      m[i] *= rest;
    }
  }
}
