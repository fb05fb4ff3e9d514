package io.github.kfac4j.curvature;

import io.github.kfac4j.curvature.MatrixSpec.Role;
import java.util.ArrayList;
import java.util.List;

/**
 * How long a layer's statistics may be used before they are renewed (Osawa et al. 2020, SP-NGD,
 * "stale statistics"). With X the statistic at a refresh, X1 and X2 at the two refreshes before and
 * D1, D2 the intervals that followed these:
 *
 * <pre>
 * X differs from X1: D = max(1, D1 / 2)
 * X differs from X2: D = D1
 * otherwise:         D = D1 + D2
 * </pre>
 *
 * <p>A layer's factors are observed by one verb and share their damping, so they count as one
 * statistic, which is similar if each of them is.
 */
public final class Staleness {
  private static final String LAST = "_last";
  private static final String BEFORE = "_before";

  private Staleness() {}

  /** X1 and X2 of a layer that keeps the given matrices. */
  static List<MatrixSpec> specs(List<MatrixSpec> kept) {
    List<MatrixSpec> specs = new ArrayList<>();
    for (MatrixSpec like : MatrixSpec.statistics(kept)) {
      for (String suffix : List.of(LAST, BEFORE)) {
        StateKey key = like.key().with(suffix);
        specs.add(new MatrixSpec(key, Role.EARLIER, like.count(), like.rows(), like.cols()));
      }
    }
    return specs;
  }

  /** Whether the layer is to be observed and refreshed before the given step. */
  public static boolean due(LayerState state, long step) {
    return state.counters.nextRefresh <= step;
  }

  /** Sets the next interval from how much the statistics have changed. */
  public static void refreshed(LayerState state, long step, double similarity) {
    LayerCounters counters = state.counters;
    boolean likeLast = counters.lastInterval > 0;
    boolean likeBefore = counters.intervalBefore > 0;
    for (StateMatrix average : state.statistics()) {
      StateMatrix last = state.matrix(average.key().with(LAST));
      StateMatrix before = state.matrix(average.key().with(BEFORE));
      double debias = 1 / counters.weight(average.spec().role());
      double[] x = average.values();
      for (int i = 0; i < x.length; i++) {
        x[i] *= debias;
      }
      double[] x1 = last.values();
      likeLast &= similar(x, x1, similarity);
      likeBefore &= similar(x, before.values(), similarity);
      before.set(x1);
      last.set(x);
    }
    int next = next(counters, likeLast, likeBefore);
    counters.intervalBefore = counters.lastInterval;
    counters.lastInterval = next;
    counters.nextRefresh = step + next;
  }

  private static int next(LayerCounters counters, boolean likeLast, boolean likeBefore) {
    if (!likeLast) {
      return Math.max(1, counters.lastInterval / 2);
    }
    long sum = (long) counters.lastInterval + counters.intervalBefore;
    return likeBefore ? (int) Math.min(sum, Integer.MAX_VALUE) : counters.lastInterval;
  }

  /** {@code |P - Q| < bound |Q|} in the Frobenius norm; all zeros are similar to all zeros. */
  private static boolean similar(double[] p, double[] q, double bound) {
    double change = 0;
    double norm = 0;
    for (int i = 0; i < p.length; i++) {
      change += (p[i] - q[i]) * (p[i] - q[i]);
      norm += q[i] * q[i];
    }
    return change == 0 || change < bound * bound * norm;
  }
}
