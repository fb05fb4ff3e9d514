package io.github.kfac4j;

import io.github.kfac4j.approximation.Factors;
import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.OneThread;
import io.github.kfac4j.curvature.Fp32Range;
import io.github.kfac4j.curvature.LayerState;
import io.github.kfac4j.curvature.MatrixSpec;
import io.github.kfac4j.curvature.MatrixSpec.Role;
import io.github.kfac4j.curvature.OpenStep;
import io.github.kfac4j.curvature.StateIdentity;
import io.github.kfac4j.curvature.StateMatrix;
import io.github.kfac4j.curvature.StateTensors;
import io.github.kfac4j.safetensors.StoredTensor;
import io.github.kfac4j.safetensors.TensorFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.IntToDoubleFunction;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * All that K-FAC remembers between steps: factors, inverses and counters. Owned by its {@link
 * Kfac}. It can be written to safetensors in the backend's own precision, so that a resumed run
 * continues bit by bit, and read into K-FAC with the same layers on any backend. It says what it
 * belongs to, and is refused anywhere else.
 *
 * <p>Tensors are named {@code LAYER.A}, {@code LAYER.G}, {@code LAYER.A_inverse}, ..., {@code
 * LAYER.counters}, and {@code LAYER.identity}, which is UTF-8 text. Symmetric matrices are stored
 * as their lower triangles, row by row: {@code [groups, n (n + 1) / 2]}; others as {@code [groups,
 * rows, columns]}. A and G are running averages before the division by their weight.
 */
public final class KfacState {
  private static final String FORMAT = "kfac4j-state";
  private static final String FORMAT_VERSION = "3";

  private final OneThread guard = new OneThread("K-FAC");

  private final Backend backend;
  private final Map<String, LayerState> layers;
  private final OpenStep open;
  private long step;

  KfacState(Backend backend, Map<String, LayerState> layers, OpenStep open) {
    this.backend = backend;
    this.layers = layers;
    this.open = open;
  }

  /**
   * Runs a call of this state or its K-FAC, unless one is under way on another thread. It has the
   * backend as long: refused in its midst, it would leave things half done.
   */
  <T> T call(Supplier<T> call) {
    return guard.call(() -> backend.inTurn(call));
  }

  /** The same for a call without a result. */
  void run(Runnable call) {
    call(
        () -> {
          call.run();
          return null;
        });
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

  /** Whether any layer has been observed. */
  boolean observed() {
    return layers.values().stream().anyMatch(layer -> layer.counters.observed);
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
   * @throws IllegalStateException if it has not been observed
   */
  public double[] inputFactor(String layer) {
    return factor(layer, Factors.A.name());
  }

  /** The running average G of a layer, like {@link #inputFactor}. */
  public double[] outputFactor(String layer) {
    return factor(layer, Factors.G.name());
  }

  /**
   * The names of a layer's factors: {@code A} and {@code G}; {@code positions}, {@code channels}
   * and {@code G} if it is doubly factored; {@code G} if A is constant; none if it is diagonal.
   *
   * @throws IllegalArgumentException if the layer is unknown
   */
  public List<String> factors(String layer) {
    LayerState known = layer(layer);
    return known.matrices().stream()
        .map(StateMatrix::spec)
        .filter(spec -> spec.role().isFactor())
        .filter(spec -> spec.role() != Role.INPUT_FACTOR || !known.layer.constantInput())
        .map(spec -> spec.key().name())
        .toList();
  }

  /**
   * A factor by name, like {@link #inputFactor}.
   *
   * @throws IllegalArgumentException if the layer is unknown or has no such factor
   * @throws IllegalStateException if it has not been observed
   */
  public double[] factor(String name, String factor) {
    StateMatrix average = average(name, factor);
    LayerState layer = layers.get(name);
    return call(
        () -> {
          if (layer.counters.factorWeight == 0) {
            throw new IllegalStateException(
                LayerState.prefix(name)
                    + "it has no average of "
                    + factor
                    + " before it is observed");
          }
          double debias = Factors.debias(layer);
          return Arrays.stream(average.values()).map(x -> x * debias).toArray();
        });
  }

  /**
   * The shape of a factor: {@code [n, n]}, {@code [groups, n, n]} of a layer with groups, {@code
   * [n]} of one that is diagonal.
   *
   * @throws IllegalArgumentException if the layer is unknown or has no such factor
   */
  public long[] factorShape(String name, String factor) {
    MatrixSpec spec = average(name, factor).spec();
    if (spec.role() == Role.INPUT_FACTOR && layer(name).layer.diagonalInput()) {
      return new long[] {(long) spec.rows() * spec.cols()};
    }
    return spec.count() == 1
        ? new long[] {spec.rows(), spec.cols()}
        : new long[] {spec.count(), spec.rows(), spec.cols()};
  }

  private StateMatrix average(String name, String factor) {
    return Stream.ofNullable(layers.get(name))
        .flatMap(one -> one.matrices().stream())
        .filter(one -> one.key().name().equals(factor))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    LayerState.prefix(name) + "there is no factor " + factor));
  }

  /** A copy of everything as named tensors. */
  public Map<String, StoredTensor> toTensors() {
    return call(this::copy);
  }

  private Map<String, StoredTensor> copy() {
    Map<String, StoredTensor> tensors = new LinkedHashMap<>();
    tensors.put(SavedState.STEP, StoredTensor.of(new long[] {step}));
    layers.forEach(
        (name, layer) -> {
          for (StateMatrix matrix : layer.matrices()) {
            tensors.put(name + "." + matrix.key(), StateTensors.store(matrix.stack()));
          }
          double[] exponents = layer.exponents();
          if (Fp32Range.largest(exponents) > 0) {
            tensors.put(
                name + "." + StateTensors.EXPONENTS, StoredTensor.of(exponents, exponents.length));
          }
          double[] counters = layer.counters.toArray();
          tensors.put(
              name + "." + StateTensors.COUNTERS, StoredTensor.of(counters, counters.length));
          tensors.put(name + "." + StateIdentity.NAME, layer.identity.toTensor());
        });
    return tensors;
  }

  /**
   * Replaces everything by what {@link #toTensors} gave, of K-FAC with the same layers,
   * approximations, convention, damping mode and kind of intervals; other settings may differ.
   *
   * @throws IllegalArgumentException naming the layer and both sides of what differs, or the first
   *     tensor that is missing, does not fit or holds an impossible value; the state is unchanged
   *     then
   */
  public void restore(Map<String, StoredTensor> tensors) {
    prepareRestore(tensors).run();
  }

  /** Checks everything, and returns what then replaces everything. */
  Runnable prepareRestore(Map<String, StoredTensor> tensors) {
    SavedState saved = new SavedState(tensors);
    long newStep = saved.step();
    Runnable change = call(() -> saved.read(layers));
    return () ->
        run(
            () -> {
              change.run();
              step = newStep;
              open.end();
            });
  }

  /** Takes over all but the number of steps, as a part of the step that is under way. */
  void adopt(Map<String, StoredTensor> tensors) {
    Runnable change = new SavedState(tensors).read(layers);
    layers
        .values()
        .forEach(
            layer -> {
              open.keepAverages(layer);
              open.keepResults(layer);
            });
    change.run();
  }

  /**
   * The number of steps in a saved state.
   *
   * @throws IllegalArgumentException if there is none
   */
  public static long stepOf(Map<String, StoredTensor> tensors) {
    return new SavedState(tensors).step();
  }

  /** The names of the layers in a saved state. */
  public static List<String> layersOf(Map<String, StoredTensor> tensors) {
    return new SavedState(tensors).layers();
  }

  /**
   * Writes a file of its own, atomically.
   *
   * @throws IllegalStateException naming the tensor if the state is not finite, as after a batch
   *     whose memory another thread has changed meanwhile: {@link #load} would refuse it. The file
   *     is as it was; {@link Kfac#discardStep} or an earlier state mend it
   */
  public void save(Path file) throws IOException {
    write(toTensors(), file);
  }

  static void write(Map<String, StoredTensor> tensors, Path file) throws IOException {
    tensors.forEach(KfacState::requireFinite);
    new TensorFile(tensors, Map.of(FORMAT, FORMAT_VERSION)).write(file);
  }

  private static void requireFinite(String name, StoredTensor tensor) {
    IntToDoubleFunction element; // read where it is: a factor may take gigabytes
    int size;
    switch (tensor.dtype()) {
      case F32 -> {
        element = tensor.asFloatBuffer()::get;
        size = tensor.data().remaining() / Float.BYTES;
      }
      case F64 -> {
        element = tensor.asDoubleBuffer()::get;
        size = tensor.data().remaining() / Double.BYTES;
      }
      default -> {
        return;
      }
    }
    for (int i = 0; i < size; i++) {
      if (!Double.isFinite(element.applyAsDouble(i))) {
        throw new IllegalStateException(
            "the K-FAC state cannot be saved, as it has %s in '%s' at flat index %d and could not be loaded: discard the step that is under way, or restore an earlier state"
                .formatted(element.applyAsDouble(i), name, i));
      }
    }
  }

  /**
   * Reads a file that {@link #save} wrote.
   *
   * @throws IOException if the file is missing, damaged, without its checksum or not a K-FAC state;
   *     the state is unchanged then
   */
  public void load(Path file) throws IOException {
    read(file, this::restore);
  }

  static void read(Path file, Consumer<Map<String, StoredTensor>> restore) throws IOException {
    TensorFile stored = TensorFile.readChecked(file);
    String version = stored.metadata().get(FORMAT);
    if (version == null) {
      throw new IOException(file + ": is not a kfac4j state");
    }
    if (!version.equals(FORMAT_VERSION)) {
      throw new IOException(
          file
              + ": is a kfac4j state of format %s, but this version reads format %s, which says what"
                  .formatted(version, FORMAT_VERSION)
              + " a state belongs to. Weights can be kept; start K-FAC anew");
    }
    try {
      restore.accept(stored.tensors());
    } catch (IllegalArgumentException e) {
      throw new IOException(file + ": " + e.getMessage(), e);
    }
  }
}
