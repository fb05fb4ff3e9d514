package io.github.kfac4j.curvature;

import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.data.Advice;
import io.github.kfac4j.data.LayerStatistics;
import io.github.kfac4j.layer.Layer;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The state of one layer: undamped running averages, what was last computed from them, and
 * counters. Matrices are stacks with one matrix for each group; which of them exist is what the
 * {@link Curvature} declares, and it alone has their keys.
 */
public final class LayerState implements AutoCloseable {
  public final String name;
  public final Layer layer;
  public final Curvature curvature;
  public final StateIdentity identity;
  public final LayerCounters counters = new LayerCounters();

  /** In the order in which they were declared. */
  private final Map<StateKey, StateMatrix> matrices = new LinkedHashMap<>();

  public LayerState(String name, Layer layer, Curvature curvature, StateIdentity identity) {
    this.name = name;
    this.layer = layer;
    this.identity = identity;
    this.curvature = curvature;
  }

  /** Takes a stack of zeros, which it then owns. */
  void put(MatrixSpec spec, MatrixStack stack) {
    matrices.put(spec.key(), new StateMatrix(spec, stack));
  }

  /** All matrices, in their order. */
  public Collection<StateMatrix> matrices() {
    return Collections.unmodifiableCollection(matrices.values());
  }

  /** The averages that a batch alone gives. */
  public List<StateMatrix> statistics() {
    List<MatrixSpec> specs = matrices.values().stream().map(StateMatrix::spec).toList();
    return MatrixSpec.statistics(specs).stream().map(spec -> matrix(spec.key())).toList();
  }

  /** Whether the layer has a matrix. */
  public boolean has(StateKey key) {
    return matrices.containsKey(key);
  }

  /** A matrix that its curvature keeps. */
  public StateMatrix matrix(StateKey key) {
    StateMatrix matrix = matrices.get(key);
    if (matrix == null) {
      throw new IllegalArgumentException(
          prefix(name) + "there is no " + key + " among " + matrices.keySet());
    }
    return matrix;
  }

  /** The stack of a matrix, whose elements lack 2 to its exponent. */
  public MatrixStack stack(StateKey key) {
    return matrix(key).stack();
  }

  public int exponent(StateKey key) {
    return matrix(key).exponent();
  }

  /** Replaces the elements of a matrix that share a range with what they are used with. */
  void setInRange(StateMatrix matrix, double[] values) {
    matrix.set(values, curvature.largestAddend(this, matrix.key()));
  }

  /** Whether products of an input and an output gradient are squared. */
  public boolean squaresProducts() {
    return layer.constantInput() || curvature.groupsByExample();
  }

  /** Whether the backend computes in fp64. */
  public boolean isDouble() {
    return matrices.values().stream().allMatch(one -> one.stack().isDouble());
  }

  /** Whether gradients can be preconditioned. */
  public boolean ready() {
    return counters.staleRefreshes >= 0;
  }

  /**
   * Checks statistics that were made elsewhere.
   *
   * @throws IllegalArgumentException naming the layer and what is wrong
   */
  public void requireFits(LayerStatistics fresh) {
    for (StateMatrix average : statistics()) {
      double[] elements = elements(fresh, average.key());
      int size = average.stack().size();
      if (elements == null || elements.length != size) {
        throw new IllegalArgumentException(
            prefix(name)
                + "the statistics have %s elements of %s, expected %d"
                    .formatted(elements == null ? "no" : elements.length, average.key(), size));
      }
      for (int i = 0; i < elements.length; i++) {
        if (!Double.isFinite(elements[i])) {
          throw new IllegalArgumentException(
              prefix(name)
                  + average.key()
                  + " of the batch holds a NaN or infinity at flat index "
                  + i
                  + Advice.DISCARD_STEP);
        }
      }
    }
  }

  /**
   * Checks saved counters.
   *
   * @throws IllegalArgumentException naming the layer and the first that cannot be
   */
  public void requireCounters(double[] saved) {
    LayerCounters.require(name, saved);
    curvature.requireCounters(this, saved);
  }

  private static double[] elements(LayerStatistics fresh, StateKey key) {
    return fresh.moments().stream()
        .filter(moment -> moment.name().equals(key.name()))
        .map(LayerStatistics.Moment::elements)
        .findFirst()
        .orElse(null);
  }

  /** {@code X = decay X + (1 - decay) X_batch} with statistics that fit. */
  public void observe(LayerStatistics fresh, double decay) {
    List<StateMatrix> statistics = statistics();
    for (StateMatrix average : statistics) {
      double[] elements = average.values();
      double[] moment = elements(fresh, average.key());
      for (int i = 0; i < elements.length; i++) {
        elements[i] = decay * elements[i] + (1 - decay) * moment[i];
      }
      average.set(elements);
    }
    counters.positions = fresh.positions();
    counters.observed(statistics.get(0).spec().role(), decay);
  }

  /** The sentence start of every error about this layer. */
  public static String prefix(String name) {
    return "layer '" + name + "': ";
  }

  /** The exponents of all matrices, in their order. */
  public double[] exponents() {
    return matrices.values().stream().mapToDouble(StateMatrix::exponent).toArray();
  }

  void restoreExponents(double[] powers) {
    int i = 0;
    for (StateMatrix one : matrices.values()) {
      one.setExponent((int) powers[i++]);
    }
  }

  /** Replaces all matrices, in their order; those in this precision by the same bits. */
  public void restore(List<StoredElements> stored) {
    int i = 0;
    for (StateMatrix one : matrices.values()) {
      StoredElements elements = stored.get(i++);
      if (elements.isDouble() || one.stack().isDouble()) {
        setInRange(one, Fp32Range.scaled(elements.values(), elements.exponent()));
      } else {
        one.setExponent(elements.exponent());
        one.stack().set(elements.values());
      }
    }
  }

  @Override
  public void close() {
    matrices.values().forEach(StateMatrix::close);
  }
}
