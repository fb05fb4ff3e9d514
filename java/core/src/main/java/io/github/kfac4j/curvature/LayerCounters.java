package io.github.kfac4j.curvature;

import java.util.List;

/** What the counters of a layer can be, in the order of {@link LayerState#counters}. */
public final class LayerCounters {
  private static final double WEIGHT = 1 + 1e-9; // of averages, at most 1 but for rounding
  private static final double LONG = 1L << 53;

  private static final List<Range> RANGES =
      List.of(
          new Range("weight of the factors", 0, WEIGHT, false),
          new Range("weight of the moments", 0, WEIGHT, false),
          new Range("number of positions", 1, Integer.MAX_VALUE, true),
          new Range("number of stale refreshes", -1, Integer.MAX_VALUE, true),
          new Range("step of the next refresh", 0, LONG, true),
          new Range("last interval", 0, Integer.MAX_VALUE, true),
          new Range("interval before the last", 0, Integer.MAX_VALUE, true),
          new Range("damping in the moments", 0, Double.MAX_VALUE, false),
          new Range("mark of being observed", 0, 1, true));

  private LayerCounters() {}

  private record Range(String name, double least, double most, boolean whole) {
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
      Range range = RANGES.get(i);
      if (!range.has(counters[i])) {
        throw new IllegalArgumentException(
            LayerState.prefix(layer)
                + "the saved K-FAC state has the %s %s, which must be %s from %s to %s"
                    .formatted(
                        range.name,
                        counters[i],
                        range.whole ? "a whole number" : "a number",
                        range.least,
                        range.most));
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
