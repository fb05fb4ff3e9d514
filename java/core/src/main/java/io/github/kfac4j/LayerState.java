package io.github.kfac4j;

import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.layer.Layer;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What is known of one layer: undamped running averages, what was last computed from them, and
 * counters. Matrices are stacks with one matrix for each group; which of them exist depends on the
 * {@link Curvature}.
 */
final class LayerState implements AutoCloseable {
  final String name;
  final Layer layer;
  final Curvature curvature;
  final StateIdentity identity;

  /** By short name, in a fixed order: {@code A}, {@code G}, {@code A_inverse}, ... */
  final Map<String, MatrixStack> matrices = new LinkedHashMap<>();

  /** The weight that observations have in A and G so far; dividing by it removes the zero-bias. */
  double factorWeight;

  /** The same for moments in a basis. */
  double momentWeight;

  /** Whether anything went into the averages. */
  boolean observed;

  /** Positions T of the last observation. */
  int positions = 1;

  /** Refreshes in a row that left an inverse as it was; -1 before the first good one. */
  int staleRefreshes = -1;

  /** The step before which adaptive intervals renew the layer. */
  long nextRefresh;

  /** The adaptive interval after the last refresh; 0 before the first one. */
  int lastInterval;

  /** The adaptive interval before that; 0 before the second refresh. */
  int intervalBefore;

  /** What is added to the moments where damping went into them at the last refresh. */
  double blockDamping;

  LayerState(String name, Layer layer, Curvature curvature, StateIdentity identity) {
    this.name = name;
    this.layer = layer;
    this.identity = identity;
    this.curvature = curvature;
  }

  MatrixStack matrix(String key) {
    return matrices.get(key);
  }

  /** Whether gradients can be preconditioned. */
  boolean ready() {
    return staleRefreshes >= 0;
  }

  /**
   * Checks statistics that were made elsewhere.
   *
   * @throws IllegalArgumentException naming the layer and what is wrong
   */
  void requireFits(LayerStatistics fresh) {
    for (String key : Staleness.statistics(this)) {
      double[] moment = fresh.moments().get(key);
      if (moment == null || moment.length != matrix(key).size()) {
        throw new IllegalArgumentException(
            prefix(name)
                + "the statistics have %s elements of %s, expected %d"
                    .formatted(moment == null ? "no" : moment.length, key, matrix(key).size()));
      }
      for (int i = 0; i < moment.length; i++) {
        if (!Double.isFinite(moment[i])) {
          throw new IllegalArgumentException(
              prefix(name)
                  + key
                  + " of the batch holds a NaN or infinity at flat index "
                  + i
                  + "; discardStep() drops this step");
        }
      }
    }
  }

  /** {@code X = decay X + (1 - decay) X_batch} with statistics that fit. */
  void observe(LayerStatistics fresh, double decay) {
    for (String key : Staleness.statistics(this)) {
      MatrixStack average = matrix(key);
      double[] elements = average.toArray();
      double[] moment = fresh.moments().get(key);
      for (int i = 0; i < elements.length; i++) {
        elements[i] = decay * elements[i] + (1 - decay) * moment[i];
      }
      average.set(elements);
    }
    positions = fresh.positions();
    observed = true;
    if (Staleness.statistics(this).contains(KroneckerBases.MOMENTS)) {
      momentWeight = decay * momentWeight + (1 - decay);
    } else {
      factorWeight = decay * factorWeight + (1 - decay);
    }
  }

  /** The sentence start of every error about this layer. */
  static String prefix(String name) {
    return "layer '" + name + "': ";
  }

  /** Counters as numbers, in the order of {@link #restoreCounters}. */
  double[] counters() {
    return new double[] {
      factorWeight,
      momentWeight,
      positions,
      staleRefreshes,
      nextRefresh,
      lastInterval,
      intervalBefore,
      blockDamping,
      observed ? 1 : 0
    };
  }

  void restoreCounters(double[] counters) {
    factorWeight = counters[0];
    momentWeight = counters[1];
    positions = (int) counters[2];
    staleRefreshes = (int) counters[3];
    nextRefresh = (long) counters[4];
    lastInterval = (int) counters[5];
    intervalBefore = (int) counters[6];
    blockDamping = counters[7];
    observed = counters[8] > 0;
  }

  @Override
  public void close() {
    matrices.values().forEach(MatrixStack::close);
  }
}
