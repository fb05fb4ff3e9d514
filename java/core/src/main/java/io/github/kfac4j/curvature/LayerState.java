package io.github.kfac4j.curvature;

import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.data.LayerStatistics;
import io.github.kfac4j.layer.Layer;
import io.github.kfac4j.layer.ScaleShift;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What is known of one layer: undamped running averages, what was last computed from them, and
 * counters. Matrices are stacks with one matrix for each group; which of them exist depends on the
 * {@link Curvature}.
 */
public final class LayerState implements AutoCloseable {
  public final String name;
  public final Layer layer;
  public final Curvature curvature;
  public final StateIdentity identity;

  /** By short name, in a fixed order: {@code A}, {@code G}, {@code A_inverse}, ... */
  public final Map<String, MatrixStack> matrices = new LinkedHashMap<>();

  /** The weight that observations have in A and G so far; dividing by it removes the zero-bias. */
  public double factorWeight;

  /** The same for moments in a basis. */
  double momentWeight;

  /** Whether anything went into the averages. */
  public boolean observed;

  /** Positions T of the last observation. */
  public int positions = 1;

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

  public LayerState(String name, Layer layer, Curvature curvature, StateIdentity identity) {
    this.name = name;
    this.layer = layer;
    this.identity = identity;
    this.curvature = curvature;
  }

  /** The exponents of matrices that fp32 has no room for; see {@link #exponent}. */
  private final Map<String, Integer> exponents = new LinkedHashMap<>();

  public MatrixStack matrix(String key) {
    return matrices.get(key);
  }

  /** The elements of a matrix are those of its stack times 2 to this exponent, mostly 0. */
  int exponent(String key) {
    return exponents.getOrDefault(key, 0);
  }

  void setExponent(String key, int exponent) {
    exponents.put(key, exponent);
  }

  /** The elements of a matrix, as a new array. */
  public double[] values(String key) {
    return Range.scaled(matrix(key).toArray(), exponent(key));
  }

  /** Replaces the elements of a matrix. */
  void setValues(String key, double[] values) {
    setValues(key, values, 0);
  }

  /** The same for values that go together with others up to the given size. */
  void setValues(String key, double[] values, double size) {
    MatrixStack stack = matrix(key);
    int exponent = stack.isDouble() ? 0 : Range.exponent(Math.max(size, Range.largest(values)));
    setExponent(key, exponent);
    stack.set(Range.scaled(values, -exponent));
  }

  /** Whether products of an input and an output gradient are squared. */
  public boolean squaresProducts() {
    return layer instanceof ScaleShift || curvature.groupsByExample();
  }

  /** Whether the backend computes in fp64. */
  public boolean isDouble() {
    return matrices.values().stream().allMatch(MatrixStack::isDouble);
  }

  /** Whether gradients can be preconditioned. */
  public boolean ready() {
    return staleRefreshes >= 0;
  }

  /**
   * Checks statistics that were made elsewhere.
   *
   * @throws IllegalArgumentException naming the layer and what is wrong
   */
  public void requireFits(LayerStatistics fresh) {
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
  public void observe(LayerStatistics fresh, double decay) {
    for (String key : Staleness.statistics(this)) {
      double[] elements = values(key);
      double[] moment = fresh.moments().get(key);
      for (int i = 0; i < elements.length; i++) {
        elements[i] = decay * elements[i] + (1 - decay) * moment[i];
      }
      setValues(key, elements);
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
  public static String prefix(String name) {
    return "layer '" + name + "': ";
  }

  /** Counters as numbers, in the order of {@link #restoreCounters}. */
  public double[] counters() {
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

  /** Mixes the weights of observations with those of {@link #counters} from before. */
  void mixWeights(double now, double kept, double[] before) {
    factorWeight = now * factorWeight + kept * before[0];
    momentWeight = now * momentWeight + kept * before[1];
  }

  public void restoreCounters(double[] counters) {
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

  /** The exponents of all matrices, in their order. */
  public double[] exponents() {
    return matrices.keySet().stream().mapToDouble(this::exponent).toArray();
  }

  void restoreExponents(double[] powers) {
    int i = 0;
    for (String key : matrices.keySet()) {
      setExponent(key, (int) powers[i++]);
    }
  }

  /** Replaces all matrices, in their order, by stored elements that lack powers of two. */
  public void restore(Map<String, double[]> stored, double[] powers) {
    int i = 0;
    for (Map.Entry<String, double[]> one : stored.entrySet()) {
      String key = one.getKey();
      int exponent = (int) powers[i++];
      if (exponent == 0 || matrix(key).isDouble()) {
        double size = key.equals(KroneckerBases.MOMENTS) ? blockDamping : 0;
        setValues(key, Range.scaled(one.getValue(), exponent), size);
      } else {
        setExponent(key, exponent);
        matrix(key).set(one.getValue());
      }
    }
  }

  @Override
  public void close() {
    matrices.values().forEach(MatrixStack::close);
  }
}
