package io.github.kfac4j.distributed.ranks;

import io.github.kfac4j.Kfac;
import io.github.kfac4j.KfacState;
import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.data.LayerGradient;
import io.github.kfac4j.data.LayerReport;
import io.github.kfac4j.data.LayerStatistics;
import io.github.kfac4j.data.StepReport;
import io.github.kfac4j.layer.Layer;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.safetensors.StoredTensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** The state that one rank has: of the layers that it owns, and copies of others' inverses. */
public final class RankLayers implements AutoCloseable {
  private static final String STEP = "step";

  private final SharedLayers shared;

  /** K-FAC of the layers that this rank owns, or null if it owns none. */
  private final Kfac owned;

  /** Copies of what others own and this rank preconditions as well, or null. */
  private final Kfac copies;

  public RankLayers(SharedLayers shared, Backend backend, KfacOptions options) {
    this.shared = shared;
    this.owned = kfac(backend, shared.owned(), options);
    this.copies = kfac(backend, shared.copied(), options);
  }

  private static Kfac kfac(Backend backend, Map<String, Layer> layers, KfacOptions options) {
    return layers.isEmpty() ? null : new Kfac(backend, layers, optionsOf(layers, options));
  }

  /** The settings of some layers; the clip is of all layers together and is done elsewhere. */
  private static KfacOptions optionsOf(Map<String, Layer> layers, KfacOptions options) {
    return options.withoutKlClip().forLayers(layers.keySet());
  }

  public void reconfigure(KfacOptions options) {
    if (owned != null) {
      owned.reconfigure(optionsOf(shared.owned(), options));
    }
    if (copies != null) {
      copies.reconfigure(optionsOf(shared.copied(), options));
    }
  }

  public void observe(Map<String, LayerStatistics> sums) {
    if (owned != null) {
      owned.add(sums);
    }
  }

  /** Reports of the layers that this rank owns. */
  public List<LayerReport> refresh() {
    return owned == null ? List.of() : owned.refresh();
  }

  /**
   * Preconditions in place.
   *
   * @param mine gradients of layers that this rank owns
   * @param others of those that it has copies of
   * @return of the owned ones
   */
  public Preconditioned precondition(List<LayerGradient> mine, List<LayerGradient> others) {
    if (!others.isEmpty()) {
      copies.preview(others);
    }
    if (mine.isEmpty()) {
      return new Preconditioned(0, List.of());
    }
    StepReport report = owned.preview(mine);
    return new Preconditioned(report.innerProduct(), report.plain());
  }

  public void endStep() {
    both().forEach(Kfac::endStep);
  }

  public void discardStep() {
    both().forEach(Kfac::discardStep);
  }

  private Stream<Kfac> both() {
    return Stream.of(new Kfac[] {owned, copies}).filter(kfac -> kfac != null);
  }

  /** Hands the inverses of each owner to the other workers; called by all ranks. */
  public void copyInverses() {
    if (shared.assignment().workers() == 1) {
      return;
    }
    Map<String, StoredTensor> state = ownedState();
    List<Map<String, StoredTensor>> toRank = new ArrayList<>();
    for (int rank = 0; rank < shared.collectives().size(); rank++) {
      Map<String, StoredTensor> some = new LinkedHashMap<>();
      for (String layer : shared.owned().keySet()) {
        if (rank != shared.rank() && shared.assignment().isWorker(layer, rank)) {
          some.putAll(of(layer, state));
        }
      }
      toRank.add(some);
    }
    Map<String, StoredTensor> received = new TensorExchange(shared.collectives()).exchange(toRank);
    if (copies != null) {
      copies.adopt(received);
    }
  }

  private Map<String, StoredTensor> ownedState() {
    return owned == null ? Map.of() : owned.toTensors();
  }

  private static Map<String, StoredTensor> of(String layer, Map<String, StoredTensor> state) {
    Map<String, StoredTensor> some = new LinkedHashMap<>(state);
    some.keySet()
        .removeIf(name -> !name.startsWith(layer + ".") || name.lastIndexOf('.') != layer.length());
    return some;
  }

  /** The state of all layers, on all ranks. */
  public Map<String, StoredTensor> toTensors(long step) {
    Map<String, StoredTensor> mine = ownedState();
    Map<String, StoredTensor> all = new LinkedHashMap<>();
    all.put(STEP, StoredTensor.of(new long[] {step}));
    TensorExchange exchange = new TensorExchange(shared.collectives());
    for (String layer : shared.layers().keySet()) {
      all.putAll(exchange.broadcast(of(layer, mine), shared.assignment().owner(layer)));
    }
    return all;
  }

  /** Takes this rank's part of the state of all layers, within the step. */
  public void adopt(Map<String, StoredTensor> tensors) {
    if (owned != null) {
      owned.adopt(part(shared.owned(), tensors));
    }
    if (copies != null) {
      copies.adopt(part(shared.copied(), tensors));
    }
  }

  /**
   * Checks the state of all layers, and returns what then takes this rank's part of it.
   *
   * @throws IllegalArgumentException as {@link Kfac#restore}
   */
  public Runnable prepareRestore(Map<String, StoredTensor> tensors) {
    for (String layer : KfacState.layersOf(tensors)) {
      if (!shared.layers().containsKey(layer)) {
        throw new IllegalArgumentException(
            "layer '%s': is in the saved K-FAC state, but here are %s"
                .formatted(layer, shared.layers().keySet()));
      }
    }
    KfacState.stepOf(tensors);
    List<Runnable> changes = new ArrayList<>();
    if (owned != null) {
      changes.add(owned.prepareRestore(part(shared.owned(), tensors)));
    }
    if (copies != null) {
      changes.add(copies.prepareRestore(part(shared.copied(), tensors)));
    }
    return () -> changes.forEach(Runnable::run);
  }

  private static Map<String, StoredTensor> part(
      Map<String, Layer> layers, Map<String, StoredTensor> tensors) {
    Map<String, StoredTensor> some = new LinkedHashMap<>();
    layers.keySet().forEach(layer -> some.putAll(of(layer, tensors)));
    if (tensors.containsKey(STEP)) {
      some.put(STEP, tensors.get(STEP));
    }
    return some;
  }

  @Override
  public void close() {
    both().forEach(Kfac::close);
  }
}
