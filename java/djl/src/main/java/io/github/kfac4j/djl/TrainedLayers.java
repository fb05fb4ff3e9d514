package io.github.kfac4j.djl;

import io.github.kfac4j.KfacPreconditioner;
import io.github.kfac4j.layer.Layer;
import io.github.kfac4j.options.Approximation;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.safetensors.StoredTensor;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The K-FAC of the layers that are trained. When a parameter joins that it does not have, it is
 * made anew with the layer added and goes on with the state of the others. A layer that is frozen
 * stays in it and waits.
 */
final class TrainedLayers implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger(DjlKfac.class.getName());

  private final ModelTaps taps;
  private final KfacOptions options;
  private final DjlKfac.Factory factory;

  /** Layers that the optimizer alone trains, by wish or by convention. */
  private final Set<String> leftOut;

  private Set<String> trained = Set.of();
  private KfacPreconditioner kfac;

  /**
   * K-FAC that is made at the first {@link #update}.
   *
   * @param leftOut names of layers that K-FAC is not to have
   * @throws IllegalArgumentException if the model has no such layer
   */
  TrainedLayers(ModelTaps taps, KfacOptions options, DjlKfac.Factory factory, Set<String> leftOut) {
    this.taps = taps;
    this.options = options;
    this.factory = factory;
    this.leftOut = new HashSet<>(leftOut);
    leftOut.forEach(this::requireKnown);
  }

  private void requireKnown(String name) {
    List<String> known = taps.names();
    if (!known.contains(name)) {
      throw new IllegalArgumentException(
          "the model has no layer '%s'; it has %s".formatted(name, known));
    }
  }

  /** The K-FAC; null before the first update. */
  KfacPreconditioner kfac() {
    return kfac;
  }

  /** Whether K-FAC has the layer, trained now or not. */
  boolean has(Tap tap) {
    return kfac == null ? !leftOut.contains(tap.name()) : tap.layer() != null;
  }

  /**
   * Reads which parameters are trained. Returns whether K-FAC is another one now.
   *
   * @throws IllegalArgumentException as the factory, or if it describes a layer that the model has
   *     not, or leaves none; K-FAC is the one before then
   */
  boolean update() {
    Set<String> now = readTrained();
    if (kfac != null && now.equals(trained)) {
      return false;
    }
    boolean joins = kfac == null || taps.taps().stream().anyMatch(this::joins);
    if (kfac != null) {
      log(now);
    }
    if (joins) {
      KfacPreconditioner before = kfac;
      Map<String, Layer> layersBefore = layers();
      Map<String, Layer> layers = wanted();
      kfac = create(layers, before == null ? options : settings(before.options()));
      taps.taps().forEach(tap -> tap.describeAs(layers.get(tap.name())));
      if (before == null) {
        List<String> others = taps.others(this::has);
        LOG.log(
            System.Logger.Level.INFO,
            "K-FAC preconditions {0}; the optimizer alone trains {1}",
            layers.keySet(),
            others.isEmpty() ? "nothing" : others);
        taps.reasons().forEach(TrainedLayers::logLeft);
      } else {
        goOn(before, layersBefore, layers);
      }
    }
    trained = now;
    return joins;
  }

  private Set<String> readTrained() {
    Set<String> names = new LinkedHashSet<>();
    for (Tap tap : taps.taps()) {
      if (tap.trains()) {
        names.add(tap.name() + " weight");
      }
      if (tap.trainsBias()) {
        names.add(tap.name() + " bias");
      }
    }
    return names;
  }

  private boolean joins(Tap tap) {
    return !leftOut.contains(tap.name())
        && tap.trains()
        && (tap.layer() == null || tap.layer().bias() != tap.trainsBias());
  }

  private void log(Set<String> now) {
    List<String> unfrozen = new ArrayList<>(now);
    unfrozen.removeAll(trained);
    List<String> frozen = new ArrayList<>(trained);
    frozen.removeAll(now);
    LOG.log(
        System.Logger.Level.INFO,
        "K-FAC from step {0} on: parameters unfrozen {1}, frozen {2}",
        kfac.step(),
        unfrozen,
        frozen);
  }

  private Map<String, Layer> layers() {
    Map<String, Layer> layers = new LinkedHashMap<>();
    for (Tap tap : taps.taps()) {
      if (tap.layer() != null) {
        layers.put(tap.name(), tap.layer());
      }
    }
    return layers;
  }

  /** The layers that are trained now, and those that were, as their blocks tell. */
  private Map<String, Layer> wanted() {
    Map<String, Layer> wanted = new LinkedHashMap<>();
    for (Tap tap : taps.taps()) {
      boolean waits = !tap.trains() && tap.layer() != null;
      if (!leftOut.contains(tap.name()) && (tap.trains() || waits)) {
        try {
          wanted.put(tap.name(), tap.read(waits ? tap.layer().bias() : tap.trainsBias()));
        } catch (IllegalArgumentException e) {
          leaveOut(tap.name(), e.getMessage());
        }
      }
    }
    wanted
        .entrySet()
        .removeIf(
            entry -> {
              boolean without = !options.convention().has(entry.getValue());
              return without && leftOut.add(entry.getKey());
            });
    return wanted;
  }

  private void leaveOut(String name, String reason) {
    leftOut.add(name);
    logLeft(name, reason);
  }

  private static void logLeft(String name, String reason) {
    LOG.log(System.Logger.Level.WARNING, "K-FAC leaves {0} to the optimizer: {1}", name, reason);
  }

  private KfacPreconditioner create(Map<String, Layer> layers, KfacOptions settings) {
    Set<String> offered = Set.copyOf(layers.keySet());
    Set<String> named = new HashSet<>(settings.approximations().keySet());
    named.removeIf(name -> !offered.contains(name) && taps.names().contains(name));
    KfacPreconditioner created = factory.create(layers, settings.forLayers(named));
    try {
      layers.keySet().forEach(this::requireKnown);
      if (layers.isEmpty()) {
        throw new IllegalArgumentException(
            "no layer of the model is left for K-FAC, of " + taps.names());
      }
    } catch (IllegalArgumentException e) {
      created.close();
      throw e;
    }
    offered.stream().filter(name -> !layers.containsKey(name)).forEach(leftOut::add);
    return created;
  }

  /** Settings as they have become, with the approximations of all layers. */
  private KfacOptions settings(KfacOptions current) {
    KfacOptions all = current;
    for (Map.Entry<String, Approximation> one : options.approximations().entrySet()) {
      all = all.withApproximation(one.getKey(), one.getValue());
    }
    return all;
  }

  /** Takes over the state of the layers that are as they were. */
  private void goOn(
      KfacPreconditioner before, Map<String, Layer> layersBefore, Map<String, Layer> layers) {
    Map<String, StoredTensor> state = kfac.toTensors();
    before
        .toTensors()
        .forEach(
            (key, tensor) -> {
              String owner = owner(key, layersBefore.keySet());
              if (owner == null || layersBefore.get(owner).equals(layers.get(owner))) {
                state.put(key, tensor);
              }
            });
    kfac.restore(state);
    before.close();
  }

  /** The layer that a tensor of a state belongs to; null if it belongs to all. */
  private static String owner(String key, Set<String> layers) {
    return layers.stream().filter(name -> key.startsWith(name + ".")).findFirst().orElse(null);
  }

  @Override
  public void close() {
    if (kfac != null) {
      kfac.close();
    }
  }
}
