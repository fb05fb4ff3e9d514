package io.github.kfac4j.curvature;

import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.data.LayerStatistics;
import io.github.kfac4j.layer.Layer;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The state of one layer: undamped running averages, what was last computed from them, and
 * counters. Matrices are stacks with one matrix for each group; which of them exist is what the
 * {@link Curvature} has made {@link Room} for, and it alone knows them by name.
 */
public final class LayerState implements AutoCloseable {
  public final String name;
  public final Layer layer;
  public final Curvature curvature;
  public final StateIdentity identity;
  public final LayerCounters counters = new LayerCounters();

  /** In the order of their rooms. */
  private final Map<String, Kept> kept = new LinkedHashMap<>();

  public LayerState(String name, Layer layer, Curvature curvature, StateIdentity identity) {
    this.name = name;
    this.layer = layer;
    this.identity = identity;
    this.curvature = curvature;
  }

  /** Takes a stack of zeros, which it then owns. */
  void put(Room room, MatrixStack stack) {
    kept.put(room.key(), new Kept(room, stack));
  }

  /** The rooms of all matrices, in their order. */
  public List<Room> rooms() {
    return kept.values().stream().map(Kept::room).toList();
  }

  /** The averages that a batch alone gives. */
  public List<Room> statistics() {
    return Room.statistics(rooms());
  }

  /** All matrices by name, in their order. */
  public Map<String, MatrixStack> matrices() {
    Map<String, MatrixStack> stacks = new LinkedHashMap<>();
    kept.forEach((key, one) -> stacks.put(key, one.stack()));
    return stacks;
  }

  /** A matrix by name; null if there is none. */
  public MatrixStack matrix(String key) {
    Kept one = kept.get(key);
    return one == null ? null : one.stack();
  }

  /** The elements of a matrix are those of its stack times 2 to this exponent, mostly 0. */
  int exponent(String key) {
    return kept.get(key).exponent();
  }

  void setExponent(String key, int exponent) {
    kept.get(key).setExponent(exponent);
  }

  /** The elements of a matrix, as a new array. */
  public double[] values(String key) {
    return kept.get(key).values();
  }

  /** Replaces the elements of a matrix. */
  void setValues(String key, double[] values) {
    kept.get(key).set(values, 0);
  }

  /** The same for values that go together with others up to the given size. */
  void setValues(String key, double[] values, double size) {
    kept.get(key).set(values, size);
  }

  /** Replaces the elements of a matrix that share a range with what they are used with. */
  void setInRange(Room room, double[] values) {
    kept.get(room.key()).set(values, curvature.goesWith(this, room));
  }

  /** Whether products of an input and an output gradient are squared. */
  public boolean squaresProducts() {
    return layer.constantInput() || curvature.groupsByExample();
  }

  /** Whether the backend computes in fp64. */
  public boolean isDouble() {
    return kept.values().stream().allMatch(one -> one.stack().isDouble());
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
    for (Room room : statistics()) {
      String key = room.key();
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
    List<Room> statistics = statistics();
    for (Room room : statistics) {
      double[] elements = values(room.key());
      double[] moment = fresh.moments().get(room.key());
      for (int i = 0; i < elements.length; i++) {
        elements[i] = decay * elements[i] + (1 - decay) * moment[i];
      }
      setValues(room.key(), elements);
    }
    counters.positions = fresh.positions();
    counters.observed(statistics.get(0).role(), decay);
  }

  /** The sentence start of every error about this layer. */
  public static String prefix(String name) {
    return "layer '" + name + "': ";
  }

  /** The exponents of all matrices, in their order. */
  public double[] exponents() {
    return kept.values().stream().mapToDouble(Kept::exponent).toArray();
  }

  void restoreExponents(double[] powers) {
    int i = 0;
    for (Kept one : kept.values()) {
      one.setExponent((int) powers[i++]);
    }
  }

  /** Replaces all matrices, in their order; those in this precision by the same bits. */
  public void restore(List<StoredElements> stored) {
    int i = 0;
    for (Kept one : kept.values()) {
      StoredElements elements = stored.get(i++);
      if (elements.isDouble() || one.stack().isDouble()) {
        setInRange(one.room(), Fp32Range.scaled(elements.values(), elements.exponent()));
      } else {
        one.setExponent(elements.exponent());
        one.stack().set(elements.values());
      }
    }
  }

  @Override
  public void close() {
    kept.values().forEach(Kept::close);
  }
}
