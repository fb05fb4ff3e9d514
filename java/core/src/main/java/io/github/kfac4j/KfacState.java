package io.github.kfac4j;

import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.safetensors.StoredTensor;
import io.github.kfac4j.safetensors.TensorFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;

/**
 * All that K-FAC remembers between steps: factors, inverses and counters. Owned by its {@link
 * Kfac}. It can be written to safetensors in the backend's own precision, so that a resumed run
 * continues bit by bit, and read into K-FAC with the same layers on any backend.
 *
 * <p>Tensors are named {@code LAYER.A}, {@code LAYER.G}, {@code LAYER.A_inverse}, ..., and {@code
 * LAYER.counters}. Symmetric matrices are stored as their lower triangles, row by row: {@code
 * [groups, n (n + 1) / 2]}; others as {@code [groups, rows, columns]}. A and G are running averages
 * before the division by their weight.
 */
public final class KfacState {
  private static final String FORMAT = "kfac4j-state";
  private static final String FORMAT_VERSION = "2";
  private static final String STEP = "step";
  private static final String COUNTERS = "counters";
  private static final String EXPONENTS = "exponents";

  private final Map<String, LayerState> layers;
  private final OpenStep open;
  private long step;

  KfacState(Map<String, LayerState> layers, OpenStep open) {
    this.layers = layers;
    this.open = open;
  }

  Map<String, LayerState> layers() {
    return layers;
  }

  LayerState layer(String name) {
    LayerState layer = layers.get(name);
    if (layer == null) {
      throw new IllegalArgumentException(
          LayerState.prefix(name) + "unknown layer; known are " + layers.keySet());
    }
    return layer;
  }

  /** The step that is under way. */
  OpenStep open() {
    return open;
  }

  void endStep() {
    step++;
    open.end();
  }

  /** Keeps what a layer's averages are before they are changed. */
  void keepAverages(LayerState layer) {
    open.keep(layer, layer.curvature.averages(layer));
  }

  /** Keeps what was computed from a layer's averages. */
  void keepInverses(LayerState layer) {
    Set<String> others = new LinkedHashSet<>(layer.matrices.keySet());
    others.removeAll(Staleness.statistics(layer));
    open.keep(layer, others);
  }

  /** Whether any layer has been observed. */
  boolean observed() {
    return layers.values().stream().anyMatch(layer -> layer.observed);
  }

  /** Preconditioned steps so far. */
  public long step() {
    return step;
  }

  /**
   * The running average A of a layer, free of bias and without damping: {@code [groups, n, n]} as a
   * new array.
   *
   * @throws IllegalArgumentException if the layer is unknown or has no such factor
   */
  public double[] inputFactor(String layer) {
    return factor(layer, Factors.A);
  }

  /** The running average G of a layer, like {@link #inputFactor}. */
  public double[] outputFactor(String layer) {
    return factor(layer, Factors.G);
  }

  /**
   * The names of a layer's factors: {@code A} and {@code G}; {@code positions}, {@code channels}
   * and {@code G} if it is doubly factored; {@code G} if A is constant; none if it is diagonal.
   *
   * @throws IllegalArgumentException if the layer is unknown
   */
  public List<String> factors(String layer) {
    LayerState known = layer(layer);
    return Stream.of(Factors.A, DoublyFactored.PSI, DoublyFactored.PHI, Factors.G)
        .filter(known.matrices::containsKey)
        .filter(key -> !key.equals(Factors.A) || !known.layer.constantInput())
        .toList();
  }

  /**
   * A factor by name, like {@link #inputFactor}.
   *
   * @throws IllegalArgumentException if the layer is unknown or has no such factor
   */
  public double[] factor(String name, String key) {
    LayerState layer = layers.get(name);
    if (layer == null || layer.matrix(key) == null) {
      throw new IllegalArgumentException(LayerState.prefix(name) + "there is no factor " + key);
    }
    double debias = Factors.debias(layer);
    return Arrays.stream(layer.values(key)).map(x -> x * debias).toArray();
  }

  /** A copy of everything as named tensors. */
  public Map<String, StoredTensor> toTensors() {
    Map<String, StoredTensor> tensors = new LinkedHashMap<>();
    tensors.put(STEP, StoredTensor.of(new long[] {step}));
    layers.forEach(
        (name, layer) -> {
          layer.matrices.forEach(
              (key, stack) -> tensors.put(name + "." + key, StateTensors.store(stack)));
          double[] exponents = layer.exponents();
          if (Range.largest(exponents) > 0) {
            tensors.put(name + "." + EXPONENTS, StoredTensor.of(exponents, exponents.length));
          }
          double[] counters = layer.counters();
          tensors.put(name + "." + COUNTERS, StoredTensor.of(counters, counters.length));
        });
    return tensors;
  }

  /**
   * Replaces everything by what {@link #toTensors} gave, of K-FAC with the same layers and
   * approximation.
   *
   * @throws IllegalArgumentException naming the first tensor that is missing or does not fit; the
   *     state is unchanged then
   */
  public void restore(Map<String, StoredTensor> tensors) {
    long newStep = require(tensors, STEP, StoredTensor.of(new long[1])).asLongBuffer().get(0);
    read(tensors).run();
    step = newStep;
    open.end();
  }

  /** Takes over all but the number of steps, as a part of the step that is under way. */
  void adopt(Map<String, StoredTensor> tensors) {
    Runnable change = read(tensors);
    layers
        .values()
        .forEach(
            layer -> {
              keepAverages(layer);
              keepInverses(layer);
            });
    change.run();
  }

  /** Checks everything, and returns what then changes the layers. */
  private Runnable read(Map<String, StoredTensor> tensors) {
    Map<LayerState, Map<String, double[]>> matrices = new LinkedHashMap<>();
    Map<LayerState, double[]> exponents = new LinkedHashMap<>();
    Map<LayerState, double[]> counters = new LinkedHashMap<>();
    layers.forEach(
        (name, layer) -> {
          Map<String, double[]> elements = new LinkedHashMap<>();
          layer.matrices.forEach(
              (key, stack) -> elements.put(key, elements(tensors, name + "." + key, stack)));
          matrices.put(layer, elements);
          exponents.put(layer, exponents(tensors, layer));
          double[] current = layer.counters();
          StoredTensor stored =
              require(tensors, name + "." + COUNTERS, StoredTensor.of(current, current.length));
          double[] values = new double[current.length];
          stored.asDoubleBuffer().get(values);
          counters.put(layer, values);
        });
    return () -> {
      counters.forEach(LayerState::restoreCounters);
      matrices.forEach((layer, elements) -> layer.restore(elements, exponents.get(layer)));
    };
  }

  /** Powers of two that matrices were divided by to be stored; there only if one is not 0. */
  private static double[] exponents(Map<String, StoredTensor> tensors, LayerState layer) {
    double[] values = new double[layer.matrices.size()];
    String name = layer.name + "." + EXPONENTS;
    if (tensors.containsKey(name)) {
      require(tensors, name, StoredTensor.of(values, values.length)).asDoubleBuffer().get(values);
    }
    return values;
  }

  private static StoredTensor require(
      Map<String, StoredTensor> tensors, String name, StoredTensor like) {
    StoredTensor stored = present(tensors, name);
    if (stored.dtype() != like.dtype() || !Arrays.equals(stored.shape(), like.shape())) {
      throw new IllegalArgumentException(
          "the saved K-FAC state has '%s' as %s, expected %s".formatted(name, stored, like));
    }
    return stored;
  }

  private static double[] elements(
      Map<String, StoredTensor> tensors, String name, MatrixStack stack) {
    return StateTensors.load(name, present(tensors, name), stack);
  }

  private static StoredTensor present(Map<String, StoredTensor> tensors, String name) {
    StoredTensor stored = tensors.get(name);
    if (stored == null) {
      throw new IllegalArgumentException("the saved K-FAC state has no tensor '" + name + "'");
    }
    return stored;
  }

  /** Writes a file of its own, atomically. */
  public void save(Path file) throws IOException {
    new TensorFile(toTensors(), Map.of(FORMAT, FORMAT_VERSION)).write(file);
  }

  /**
   * Reads a file that {@link #save} wrote.
   *
   * @throws IOException if the file is missing, damaged or not a K-FAC state; the state is
   *     unchanged then
   */
  public void load(Path file) throws IOException {
    TensorFile stored = TensorFile.read(file);
    if (!FORMAT_VERSION.equals(stored.metadata().get(FORMAT))) {
      throw new IOException(file + ": not a kfac4j state of version " + FORMAT_VERSION);
    }
    try {
      restore(stored.tensors());
    } catch (IllegalArgumentException e) {
      throw new IOException(file + ": " + e.getMessage(), e);
    }
  }
}
