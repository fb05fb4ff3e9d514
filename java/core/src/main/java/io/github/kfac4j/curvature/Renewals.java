package io.github.kfac4j.curvature;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.RenewRequest;
import io.github.kfac4j.backend.Renewal;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Bases that are renewed rather than made anew, where moments are measured in them: any orthonormal
 * basis is right then, and one that is nearly of eigenvectors nearly the best. Of layers whose
 * bases are all narrow, decompositions cost little, and are made at each refresh.
 *
 * <p>Moments follow the basis: to turn it by R is to turn a block that is diagonal in it, of which
 * the diagonal becomes {@code (R * R)' m}, squares element by element. To begin them again from the
 * factors, as after a decomposition, would need all Rayleigh quotients and forget what was
 * measured. Of R only the part within the leading vectors is used, where nearly all turns are; its
 * columns are weighted to sum to 1.
 */
final class Renewals {
  /** The share of A beyond the diagonal from which on it is decomposed. */
  static final double MOST = 0.01;

  /** A basis up to this width is renewed as a whole. */
  static final int NARROW = 256;

  private static final int MOST_LEADING = 512;

  /** A squared cosine that is left out; all of one column sum to 1. */
  private static final double NEGLIGIBLE = 1e-4;

  private final Backend backend;
  private boolean missing;

  Renewals(Backend backend) {
    this.backend = backend;
  }

  /** The vectors that are renewed: enough to hold what is large beside the damping. */
  static int leading(int n) {
    return n <= NARROW ? n : Math.max(NARROW, Math.min(n / 4, MOST_LEADING));
  }

  /** The layers that still have to be decomposed, once those that can be are renewed. */
  Set<LayerState> renew(List<LayerState> states) {
    Set<LayerState> rest = new HashSet<>(states);
    List<LayerState> able = states.stream().filter(Renewals::isAble).toList();
    if (missing || able.isEmpty()) {
      return rest;
    }
    List<RenewRequest> requests = new ArrayList<>();
    for (LayerState state : able) {
      requests.add(request(state, Factors.A, KroneckerBases.A_BASIS));
      requests.add(request(state, Factors.G, KroneckerBases.G_BASIS));
    }
    List<Renewal[]> results;
    try {
      results = backend.renew(requests);
    } catch (UnsupportedOperationException e) {
      missing = true;
      return rest;
    }
    for (int i = 0; i < able.size(); i++) {
      if (settle(able.get(i), results.get(2 * i), results.get(2 * i + 1))) {
        rest.remove(able.get(i));
      }
    }
    return rest;
  }

  private static boolean isAble(LayerState state) {
    int widest = Math.max(state.layer.inputDim(), state.layer.outputDim());
    return state.ready() && widest > NARROW;
  }

  private static RenewRequest request(LayerState state, String factor, String basis) {
    int n = state.matrix(factor).rows();
    return new RenewRequest(state.matrix(factor), state.matrix(basis), leading(n), MOST);
  }

  /** Lets the moments follow; whether all bases of the layer are new. */
  private static boolean settle(LayerState state, Renewal[] a, Renewal[] g) {
    double[] moments = state.values(KroneckerBases.MOMENTS);
    int rows = state.layer.outputDim();
    int cols = state.layer.inputDim();
    boolean all = true;
    for (int k = 0; k < a.length; k++) {
      int start = k * rows * cols;
      if (a[k].accepted()) {
        turnColumns(moments, start, rows, cols, Weights.of(a[k].turn()));
      }
      if (g[k].accepted()) {
        turnRows(moments, start, rows, cols, Weights.of(g[k].turn()));
      }
      all &= a[k].accepted() && g[k].accepted();
    }
    state.setValues(KroneckerBases.MOMENTS, moments);
    return all;
  }

  /** What each new vector is made of: for vector j the old ones {@code from[j]}. */
  private record Weights(int size, int[][] from, double[][] weights) {
    static Weights of(double[] turn) {
      int r = (int) Math.round(Math.sqrt(turn.length));
      int[][] from = new int[r][];
      double[][] weights = new double[r][];
      int[] places = new int[r];
      double[] squares = new double[r];
      for (int j = 0; j < r; j++) {
        int count = 0;
        double sum = 0;
        for (int i = 0; i < r; i++) {
          double square = turn[i * r + j] * turn[i * r + j];
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
      return new Weights(r, from, weights);
    }
  }

  private static void turnColumns(double[] m, int start, int rows, int cols, Weights turn) {
    double[] old = new double[turn.size];
    for (int row = 0; row < rows; row++) {
      int at = start + row * cols + cols - turn.size;
      System.arraycopy(m, at, old, 0, turn.size);
      for (int j = 0; j < turn.size; j++) {
        double sum = 0;
        for (int i = 0; i < turn.from[j].length; i++) {
          sum += turn.weights[j][i] * old[turn.from[j][i]];
        }
        m[at + j] = sum;
      }
    }
  }

  private static void turnRows(double[] m, int start, int rows, int cols, Weights turn) {
    int first = start + (rows - turn.size) * cols;
    double[] old = Arrays.copyOfRange(m, first, first + turn.size * cols);
    for (int j = 0; j < turn.size; j++) {
      int at = first + j * cols;
      Arrays.fill(m, at, at + cols, 0);
      for (int i = 0; i < turn.from[j].length; i++) {
        double weight = turn.weights[j][i];
        int row = turn.from[j][i] * cols;
        for (int c = 0; c < cols; c++) {
          m[at + c] += weight * old[row + c];
        }
      }
    }
  }
}
