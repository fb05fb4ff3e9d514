package io.github.kfac4j.curvature;

import static io.github.kfac4j.backend.MemoryException.text;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.MemoryException;
import io.github.kfac4j.backend.Storage;
import java.util.ArrayList;
import java.util.List;

/** Makes the matrices of layers, all or none. */
public final class Allocation {
  private Allocation() {}

  /** What is kept of each layer. */
  public enum Keeps {
    /** Averages alone, of steps that are never discarded. */
    AVERAGES,
    /** Averages and what is made of them, and a copy of each for {@code discardStep}. */
    STATE,
    /** The same and the averages at earlier refreshes. */
    STATE_AND_EARLIER;

    /** Whether a step can be discarded. */
    public boolean discardable() {
      return this != AVERAGES;
    }
  }

  /**
   * Makes what all layers keep, or nothing.
   *
   * @throws IllegalArgumentException naming the layer and what of it is too large, before anything
   *     is allocated
   * @throws MemoryException if there turns out to be less memory than was promised
   */
  public static void make(Backend backend, Iterable<LayerState> layers, Keeps keeps) {
    Storage storage = backend.storage();
    requireFits(backend.name(), storage, layers, keeps);
    String now = "";
    try {
      for (LayerState layer : layers) {
        for (MatrixSpec spec : specs(layer, keeps)) {
          now = what(layer, spec) + " needs " + text(spec.bytes(storage));
          layer.put(spec, spec.allocate(backend));
        }
        layer.curvature.initialize(layer);
      }
    } catch (MemoryException | OutOfMemoryError e) {
      layers.forEach(LayerState::close);
      throw new MemoryException(
          "%s of %s, which is not available: %s".formatted(now, storage.memory(), e.getMessage()),
          e);
    } catch (RuntimeException e) {
      layers.forEach(LayerState::close);
      throw e;
    }
  }

  private static void requireFits(
      String backend, Storage storage, Iterable<LayerState> layers, Keeps keeps) {
    int times = keeps.discardable() ? 2 : 1;
    double total = 0;
    LayerState worst = null;
    MatrixSpec largest = null;
    for (LayerState layer : layers) {
      for (MatrixSpec spec : specs(layer, keeps)) {
        double bytes = spec.bytes(storage);
        if (spec.elements() > storage.largest()) {
          throw new IllegalArgumentException(
              "%s needs %s of %s, and the backend '%s' can hold at most %s in one piece; %s"
                  .formatted(
                      what(layer, spec),
                      text(bytes),
                      storage.memory(),
                      backend,
                      text(bytes / spec.elements() * storage.largest()),
                      advice(layer)));
        }
        total += times * bytes;
        if (largest == null || bytes > largest.bytes(storage)) {
          worst = layer;
          largest = spec;
        }
      }
    }
    if (total > storage.available()) {
      throw new IllegalArgumentException(
          "%s needs %s of %s, all layers with the copies for discardStep() %s, of which %s are available; %s, or give it %s"
              .formatted(
                  what(worst, largest),
                  text(largest.bytes(storage)),
                  storage.memory(),
                  text(total),
                  text(Math.max(0, storage.available())),
                  advice(worst),
                  storage.remedy()));
    }
  }

  private static List<MatrixSpec> specs(LayerState layer, Keeps keeps) {
    List<MatrixSpec> specs = new ArrayList<>(layer.curvature.specs(layer.layer));
    if (keeps == Keeps.AVERAGES) {
      specs.retainAll(MatrixSpec.statistics(specs));
    } else if (keeps == Keeps.STATE_AND_EARLIER) {
      specs.addAll(Staleness.specs(specs));
    }
    return specs;
  }

  private static String what(LayerState layer, MatrixSpec spec) {
    String shape = spec.rows() + " x " + spec.cols();
    return LayerState.prefix(layer.name)
        + "its "
        + (spec.role().isFactor() ? "factor " : "")
        + spec.key()
        + " of "
        + (spec.count() > 1 ? spec.count() + " x " + shape : shape);
  }

  /** What a user can do about a layer that is too large. */
  private static String advice(LayerState layer) {
    return layer.curvature.hasSmaller()
        ? "use DIAGONAL for it or leave it out"
        : "leave it out of K-FAC";
  }
}
