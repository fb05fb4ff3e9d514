package io.github.kfac4j.curvature;

import java.util.List;

/** What the counters of a layer can be, in the order of {@link LayerState#counters}. */
public final class LayerCounters {
  private static final double WEIGHT = 1 + 1e-9; // of averages, at most 1 but for rounding
  private static final double LONG = 1L << 53;

  private static final List<Bounds> BOUNDS =
      List.of(
          new Bounds("weight of the factors", 0, WEIGHT, false),
          new Bounds("weight of the moments", 0, WEIGHT, false),
          new Bounds("number of positions", 1, Integer.MAX_VALUE, true),
          new Bounds("number of stale refreshes", -1, Integer.MAX_VALUE, true),
          new Bounds("step of the next refresh", 0, LONG, true),
          new Bounds("last interval", 0, Integer.MAX_VALUE, true),
          new Bounds("interval before the last", 0, Integer.MAX_VALUE, true),
          new Bounds("damping in the moments", 0, Double.MAX_VALUE, false),
          new Bounds("mark of being observed", 0, 1, true));

  private LayerCounters() {}

  private record Bounds(String name, double least, double most, boolean whole) {
    boolean has(double value) {
      return value >= least && value <= most && (!whole || value == Math.rint(value));
    }
  }

  /**
   * Checks saved counters.
   *
   * @throws IllegalArgumentException naming the first that cannot be
   */
  public static void require(String layer, double[] counters) {
    for (int i = 0; i < counters.length; i++) {
      Bounds bounds = BOUNDS.get(i);
      if (!bounds.has(counters[i])) {
        throw new IllegalArgumentException(
            LayerState.prefix(layer)
                + "the saved K-FAC state has the %s %s, which must be %s from %s to %s"
                    .formatted(
                        bounds.name,
                        counters[i],
                        bounds.whole ? "a whole number" : "a number",
                        bounds.least,
                        bounds.most));
      }
    }
    boolean weighted = counters[0] > 0 || counters[1] > 0;
    boolean observed = counters[8] > 0;
    boolean ready = counters[3] >= 0;
    if (observed && !weighted || ready && !observed) {
      throw new IllegalArgumentException(
          LayerState.prefix(layer)
              + "the counters of the saved K-FAC state contradict each other: it is "
              + (ready ? "refreshed " : "")
              + (observed ? "and observed, without weight" : "but was not observed"));
    }
  }
}
