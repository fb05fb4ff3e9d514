package io.github.kfac4j.curvature;

import java.util.List;

/**
 * The numbers that are kept of a layer. Saved states have all of them, in the order of {@link
 * #toArray}, whether the layer's curvature uses them or not.
 */
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
          new Bounds("mark of being observed", 0, 1, true),
          new Bounds("number of reflections of the basis of A", 0, Integer.MAX_VALUE, true),
          new Bounds("number of reflections of the basis of G", 0, Integer.MAX_VALUE, true));

  /** The weight that observations have in the factors; dividing by it removes the zero-bias. */
  public double factorWeight;

  /** The same for moments in a basis. */
  public double momentWeight;

  /** Whether anything went into the averages. */
  public boolean observed;

  /** Positions T of the last observation. */
  public int positions = 1;

  /** Refreshes in a row that left an inverse as it was; -1 before the first good one. */
  public int staleRefreshes = -1;

  /** The step before which adaptive intervals renew the layer. */
  long nextRefresh;

  /** The adaptive interval after the last refresh; 0 before the first one. */
  int lastInterval;

  /** The adaptive interval before that; 0 before the second refresh. */
  int intervalBefore;

  /** What is added to the moments where damping went into them at the last refresh. */
  public double blockDamping;

  /** The reflections that the basis of A is stored as; 0 if it is stored as columns. */
  public int aReflections;

  /** The same of G. */
  public int gReflections;

  /** A copy as numbers, in the order of {@link #set}. */
  public double[] toArray() {
    return new double[] {
      factorWeight,
      momentWeight,
      positions,
      staleRefreshes,
      nextRefresh,
      lastInterval,
      intervalBefore,
      blockDamping,
      observed ? 1 : 0,
      aReflections,
      gReflections
    };
  }

  /** Replaces all by what {@link #toArray} gave. */
  public void set(double[] counters) {
    factorWeight = counters[0];
    momentWeight = counters[1];
    positions = (int) counters[2];
    staleRefreshes = (int) counters[3];
    nextRefresh = (long) counters[4];
    lastInterval = (int) counters[5];
    intervalBefore = (int) counters[6];
    blockDamping = counters[7];
    observed = counters[8] > 0;
    aReflections = (int) counters[9];
    gReflections = (int) counters[10];
  }

  /** The weight that observations have in an average. */
  double weight(MatrixSpec.Role role) {
    return role == MatrixSpec.Role.MOMENTS ? momentWeight : factorWeight;
  }

  /** Counts an observation that went into averages of a role. */
  public void observed(MatrixSpec.Role role, double decay) {
    if (role == MatrixSpec.Role.MOMENTS) {
      momentWeight = decay * momentWeight + (1 - decay);
    } else {
      factorWeight = decay * factorWeight + (1 - decay);
    }
    observed = true;
  }

  /** Mixes the weights of observations with those of {@link #toArray} from before. */
  void mixWeights(double now, double kept, double[] before) {
    factorWeight = now * factorWeight + kept * before[0];
    momentWeight = now * momentWeight + kept * before[1];
  }

  private record Bounds(String name, double min, double max, boolean whole) {
    boolean has(double value) {
      return value >= min && value <= max && (!whole || value == Math.rint(value));
    }
  }

  /**
   * Checks saved counters.
   *
   * @throws IllegalArgumentException naming the first that cannot be
   */
  static void require(String layer, double[] counters) {
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
                        bounds.min,
                        bounds.max));
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

  /**
   * Checks in which form saved bases are stored.
   *
   * @param a reflections that the basis of A has if it is not stored as columns
   * @param g the same of G
   * @throws IllegalArgumentException naming the basis
   */
  public static void requireReflections(String layer, double[] counters, int a, int g) {
    requireReflections(layer, "A", counters[9], a);
    requireReflections(layer, "G", counters[10], g);
  }

  private static void requireReflections(String layer, String factor, double found, int expected) {
    if (found != 0 && found != expected) {
      throw new IllegalArgumentException(
          LayerState.prefix(layer)
              + "the saved K-FAC state has a basis of %s of %.0f reflections, which must be %s"
                  .formatted(factor, found, expected == 0 ? "0" : "0 or " + expected));
    }
  }
}
