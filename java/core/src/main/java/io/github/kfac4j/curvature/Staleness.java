package io.github.kfac4j.curvature;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;

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

  /** The matrices that are averages over batches. */
  public static List<String> statistics(LayerState state) {
    return statistics(state.matrices.keySet());
  }

  private static List<String> statistics(Set<String> matrices) {
    List<String> factors =
        Stream.of(Factors.A, DoublyFactored.PSI, DoublyFactored.PHI, Factors.G)
            .filter(matrices::contains)
            .toList();
    return factors.isEmpty() ? List.of(KroneckerBases.MOMENTS) : factors;
  }

  /** Those of the rooms that are for averages over batches. */
  static List<Room> averages(List<Room> kept) {
    Map<String, Room> byKey = new LinkedHashMap<>();
    kept.forEach(room -> byKey.put(room.key(), room));
    return statistics(byKey.keySet()).stream().map(byKey::get).toList();
  }

  /** Room for X1 and X2 of a layer that keeps the given matrices. */
  static List<Room> rooms(List<Room> kept) {
    List<Room> rooms = new ArrayList<>();
    for (Room like : averages(kept)) {
      for (String suffix : List.of(LAST, BEFORE)) {
        rooms.add(new Room(like.key() + suffix, like.count(), like.rows(), like.cols()));
      }
    }
    return rooms;
  }

  /** Whether the layer is to be observed and refreshed before the given step. */
  public static boolean due(LayerState state, long step) {
    return state.nextRefresh <= step;
  }

  /** Sets the next interval from what the statistics have become. */
  public static void refreshed(LayerState state, long step, double similarity) {
    boolean likeLast = state.lastInterval > 0;
    boolean likeBefore = state.intervalBefore > 0;
    for (String key : statistics(state)) {
      double debias =
          key.equals(KroneckerBases.MOMENTS) ? 1 / state.momentWeight : Factors.debias(state);
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
    int next = next(state, likeLast, likeBefore);
    state.intervalBefore = state.lastInterval;
    state.lastInterval = next;
    state.nextRefresh = step + next;
  }

  private static int next(LayerState state, boolean likeLast, boolean likeBefore) {
    if (!likeLast) {
      return Math.max(1, state.lastInterval / 2);
    }
    return likeBefore
        ? Math.addExact(state.lastInterval, state.intervalBefore)
        : state.lastInterval;
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
