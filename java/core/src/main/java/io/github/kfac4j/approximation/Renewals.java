package io.github.kfac4j.approximation;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.RenewRequest;
import io.github.kfac4j.backend.Renewal;
import io.github.kfac4j.curvature.Curvature;
import io.github.kfac4j.curvature.LayerState;
import io.github.kfac4j.curvature.StateKey;
import io.github.kfac4j.curvature.StateMatrix;
import io.github.kfac4j.options.Convention;
import io.github.kfac4j.options.KfacOptions;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Bases that are renewed rather than made anew, where moments are measured in them: any orthonormal
 * basis is right then, and one that is nearly of eigenvectors nearly the best. Of a wide factor
 * only the leading vectors are eigenvectors, and the basis is stored as the reflections that take
 * unit vectors to them, which makes every product with it cheaper. Of layers whose bases are all
 * narrow, decompositions cost little, and are made at each refresh.
 *
 * <p>Moments follow the basis: to rotate it by R is to rotate a block that is diagonal in it, of
 * which the diagonal becomes {@code (R * R)' m}, squares element by element. Where the factor is no
 * longer diagonal in the old basis, as after a change of the data, that misses what the new vectors
 * gather and the others lose; so it is multiplied by {@code d / (R * R)' d_old}, with the Ritz
 * values d and the factor's diagonal d_old in the old basis: what is kept is by how much the
 * moments differ from products of factors, which is what was measured. Of R only the part within
 * the leading vectors is used, its columns weighted to sum to 1; the rest is multiplied as a whole.
 * Where the old basis says too little, moments begin again from the factors.
 */
final class Renewals {
  /** The share of A beyond the diagonal from which on it is decomposed. */
  static final double MAX_SHARE = 0.01;

  /** The share of A beyond the diagonal in the old basis from which on moments begin again. */
  static final double CHANGED = 0.1;

  /**
   * How many times too long a step may be beyond the leading vectors: less than staleness makes it
   * between two refreshes.
   */
  private static final double MAX_EXCESS = 2;

  /** A basis up to this width is renewed as a whole. */
  static final int NARROW = 512;

  /** Bounds of the leading vectors of a wider one, of which they are a quarter. */
  private static final int MIN_LEADING = 128;

  private static final int MAX_LEADING = 256;

  /**
   * The weight of the observations from which on there is something to keep: the first basis is
   * that of a single batch, and so are the moments that it begins with.
   */
  private static final double KNOWN = 0.5;

  private final Backend backend;
  private final Convention convention;
  private boolean missing;

  Renewals(Backend backend, Convention convention) {
    this.backend = backend;
    this.convention = convention;
  }

  /** The vectors that are renewed. */
  static int leading(int n) {
    return n <= NARROW ? n : Math.max(MIN_LEADING, Math.min(n / 4, MAX_LEADING));
  }

  /** The reflections that a basis is stored as, if it is not stored as columns. */
  static int reflections(int n) {
    return n <= NARROW ? 0 : leading(n);
  }

  /** The layers that still have to be decomposed, once those that can be are renewed. */
  Set<LayerState> renew(List<LayerState> states, KfacOptions options) {
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
      LayerState state = able.get(i);
      RenewedBasis a = new RenewedBasis(requests.get(2 * i), results.get(2 * i), traces.get(2 * i));
      RenewedBasis g =
          new RenewedBasis(requests.get(2 * i + 1), results.get(2 * i + 1), traces.get(2 * i + 1));
      if (follow(state, a, g, Curvature.lambda(state.layer, options))) {
        rest.remove(state);
      }
    }
    return rest;
  }

  private static boolean isAble(LayerState state) {
    return Math.max(state.layer.inputDim(), state.layer.outputDim()) > NARROW;
  }

  private static RenewRequest request(LayerState state, StateKey factor, StateKey basis) {
    int n = state.stack(factor).rows();
    return new RenewRequest(
        state.stack(factor), KroneckerBases.basis(state, basis), leading(n), MAX_SHARE);
  }

  /**
   * Lets the moments follow both bases, if both are new and what lies beyond their leading vectors
   * is small beside the damping. There a vector of the basis is a mixture of eigenvectors, and its
   * moment their mean: with a larger one among them steps would be too long.
   */
  private boolean follow(LayerState state, RenewedBasis a, RenewedBasis g, double lambda) {
    if (a.accepted()) {
      state.counters.aReflections = a.basis().reflections();
    }
    if (g.accepted()) {
      state.counters.gReflections = g.basis().reflections();
    }
    if (!a.accepted() || !g.accepted() || beyond(state, a, g) > MAX_EXCESS * lambda) {
      if (a.accepted() || g.accepted()) {
        // the moments are of no use in one basis of before and one of now
        state.counters.staleRefreshes = -1;
      }
      return false;
    }
    boolean known = state.ready() && state.counters.factorWeight >= KNOWN;
    if (known && a.canFollow(CHANGED) && g.canFollow(CHANGED)) {
      StateMatrix matrix = state.matrix(KroneckerBases.MOMENTS);
      double[] moments = matrix.values();
      a.rotateColumns(moments, state.layer.outputDim());
      g.rotateRows(moments, state.layer.inputDim());
      matrix.set(moments);
    } else {
      double debias = Factors.debias(state);
      KroneckerBases.setMoments(state, convention, a.values(debias), g.values(debias));
    }
    return true;
  }

  /** The largest eigenvalue of the block that is not of leading vectors alone. */
  private double beyond(LayerState state, RenewedBasis a, RenewedBasis g) {
    double debias = Factors.debias(state);
    double largest = 0;
    for (int k = 0; k < a.groups(); k++) {
      largest = Math.max(largest, a.beyond(k) * g.largest(k));
      largest = Math.max(largest, a.largest(k) * g.beyond(k));
    }
    int exponent = state.exponent(Factors.A) + state.exponent(Factors.G);
    double scale = convention.blockScale(state.counters.positions) * debias * debias;
    return Math.scalb(scale * largest, exponent);
  }
}
