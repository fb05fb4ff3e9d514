package io.github.kfac4j.curvature;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.RenewRequest;
import io.github.kfac4j.backend.Renewal;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Bases that are renewed rather than made anew, where moments are measured in them: any orthonormal
 * basis is right then, and one that is nearly of eigenvectors nearly the best. Of layers whose
 * bases are all narrow, decompositions cost little, and are made at each refresh.
 *
 * <p>Moments follow the basis: to rotate it by R is to rotate a block that is diagonal in it, of
 * which the diagonal becomes {@code (R * R)' m}, squares element by element. Where the factor is no
 * longer diagonal in the old basis, as after a change of the data, that misses what the new vectors
 * gather and the others lose; so it is multiplied by {@code d / (R * R)' d_old}, with the Ritz
 * values d and the factor's diagonal d_old in the old basis: what is kept is by how much the
 * moments differ from products of factors, which is what was measured. To begin them again from the
 * factors, as after a decomposition, would need all Rayleigh quotients and forget it. Of R only the
 * part within the leading vectors is used, its columns weighted to sum to 1; the rest is multiplied
 * as a whole.
 */
final class Renewals {
  /** The share of A beyond the diagonal from which on it is decomposed. */
  static final double MAX_SHARE = 0.01;

  /** The share of A beyond the diagonal in the old basis from which on it is decomposed. */
  static final double CHANGED = 0.1;

  /** A basis up to this width is renewed as a whole. */
  static final int NARROW = 256;

  private static final int MAX_LEADING = 512;

  /**
   * The weight of the observations from which on there is something to keep: the first basis is
   * that of a single batch, and so are the moments that it begins with.
   */
  private static final double KNOWN = 0.5;

  private final Backend backend;
  private boolean missing;

  Renewals(Backend backend) {
    this.backend = backend;
  }

  /** The vectors that are renewed: enough to hold what is large beside the damping. */
  static int leading(int n) {
    return n <= NARROW ? n : Math.max(NARROW, Math.min(n / 4, MAX_LEADING));
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
    List<double[]> traces = backend.traces(requests.stream().map(RenewRequest::source).toList());
    for (int i = 0; i < able.size(); i++) {
      int at = 2 * i;
      LayerState state = able.get(i);
      StateMatrix matrix = state.matrix(KroneckerBases.MOMENTS);
      double[] moments = matrix.values();
      boolean a = rotate(moments, state, true, results.get(at), traces.get(at));
      boolean g = rotate(moments, state, false, results.get(at + 1), traces.get(at + 1));
      matrix.set(moments);
      if (a && g) {
        rest.remove(state);
      }
    }
    return rest;
  }

  private static boolean isAble(LayerState state) {
    int widest = Math.max(state.layer.inputDim(), state.layer.outputDim());
    return state.ready() && widest > NARROW && state.counters.factorWeight >= KNOWN;
  }

  private static RenewRequest request(LayerState state, StateKey factor, StateKey basis) {
    int n = state.stack(factor).rows();
    return new RenewRequest(state.stack(factor), state.stack(basis), leading(n), MAX_SHARE);
  }

  /**
   * Lets the moments follow the bases of A, which are of columns, or of G.
   *
   * @return whether all bases are new, and the old ones were near enough for moments to follow
   */
  private static boolean rotate(
      double[] moments, LayerState state, boolean columns, Renewal[] renewals, double[] traces) {
    int rows = state.layer.outputDim();
    int cols = state.layer.inputDim();
    boolean all = true;
    for (int k = 0; k < renewals.length; k++) {
      if (renewals[k].accepted()) {
        MomentRotation rotation = MomentRotation.of(renewals[k], traces[k]);
        all &= rotation.oldShare() <= CHANGED;
        if (columns) {
          rotation.columns(moments, k * rows * cols, rows, cols);
        } else {
          rotation.rows(moments, k * rows * cols, rows, cols);
        }
      } else {
        all = false;
      }
    }
    return all;
  }
}
