package io.github.kfac4j.curvature;

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

  /** Room for X1 and X2 of a layer that keeps the given matrices. */
  static List<Room> rooms(List<Room> kept) {
    List<Room> rooms = new ArrayList<>();
    for (Room like : Room.statistics(kept)) {
      for (String suffix : List.of(LAST, BEFORE)) {
        String key = like.key() + suffix;
        rooms.add(new Room(key, Room.Role.EARLIER, like.count(), like.rows(), like.cols()));
      }
    }
    return rooms;
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
    for (Room room : state.statistics()) {
      String key = room.key();
      double debias = 1 / state.counters.weight(room.role());
      double[] x = state.values(key);
      for (int i = 0; i < x.length; i++) {
        x[i] *= debias;
      }
      double[] x1 = state.values(key + LAST);
      likeLast &= similar(x, x1, similarity);
      likeBefore &= similar(x, state.values(key + BEFORE), similarity);
      state.setValues(key + BEFORE, x1);
      state.setValues(key + LAST, x);
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
    return likeBefore
        ? Math.addExact(counters.lastInterval, counters.intervalBefore)
        : counters.lastInterval;
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
