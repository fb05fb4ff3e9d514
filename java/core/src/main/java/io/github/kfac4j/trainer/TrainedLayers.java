package io.github.kfac4j.trainer;

import io.github.kfac4j.KfacPreconditioner;
import io.github.kfac4j.layer.Layer;
import io.github.kfac4j.options.Approximation;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.safetensors.StoredTensor;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.WeakHashMap;
import java.util.function.Supplier;

/**
 * The K-FAC of the layers that are trained. When a parameter joins that it does not have, it is
 * made anew with the layer added and keeps the state of the others. A layer that is frozen stays in
 * it and waits.
 */
public final class TrainedLayers implements AutoCloseable {
  /** Those whose K-FAC is there, of all models. */
  private static final Set<TrainedLayers> ATTACHED =
      Collections.newSetFromMap(new WeakHashMap<>()); // by identity: none is equal to another

  private final List<? extends ModelLayer> all;
  private final KfacOptions options;
  private final KfacFactory factory;
  private final System.Logger log;

  /** What K-FAC knows layers as. */
  private final Map<String, Layer> known = new LinkedHashMap<>();

  /** Layers that the optimizer alone trains, by wish or by convention. */
  private final Set<String> leftOut;

  private Set<String> trained = Set.of();
  private KfacPreconditioner kfac;

  /**
   * K-FAC that is made at the first {@link #update}.
   *
   * @param all the layers of a model that could be K-FAC's
   * @param leftOut names of those that it is not to have
   * @param log is told what is left out, frozen and unfrozen
   * @throws IllegalArgumentException if the model has no layer of such a name
   */
  public TrainedLayers(
      List<? extends ModelLayer> all,
      KfacOptions options,
      KfacFactory factory,
      Set<String> leftOut,
      System.Logger log) {
    this.all = List.copyOf(all);
    this.options = options;
    this.factory = factory;
    this.log = log;
    this.leftOut = new HashSet<>(leftOut);
    leftOut.forEach(this::requireKnown);
  }

  private void requireKnown(String name) {
    if (!names().contains(name)) {
      throw new IllegalArgumentException(
          "the model has no layer '%s'; it has %s".formatted(name, names()));
    }
  }

  private List<String> names() {
    return all.stream().map(ModelLayer::name).toList();
  }

  /** The K-FAC; null before the first update. */
  public KfacPreconditioner kfac() {
    return kfac;
  }

  /** Whether K-FAC has the layer, trained now or not. */
  public boolean has(ModelLayer layer) {
    return kfac == null ? !leftOut.contains(layer.name()) : layer(layer) != null;
  }

  /** Names of the layers that K-FAC has, as far as they are trained now. */
  public List<String> preconditioned() {
    return all.stream().filter(one -> has(one) && one.trains()).map(ModelLayer::name).toList();
  }

  /** What K-FAC knows a layer as; null if it does not have it. */
  public Layer layer(ModelLayer layer) {
    return known.get(layer.name());
  }

  /**
   * Reads which parameters are trained, and continues the step with the current K-FAC. What it has,
   * and what it has not, is logged once.
   *
   * @param others asked for names of what the optimizer alone trains
   * @throws IllegalArgumentException as {@link #update()}
   */
  public void update(TrainingStep<?> step, Supplier<List<String>> others) {
    boolean first = kfac == null;
    if (update()) {
      step.setKfac(kfac);
    }
    if (first) {
      List<String> rest = others.get();
      log.log(
          System.Logger.Level.INFO,
          "K-FAC preconditions {0}; the optimizer alone trains {1}",
          preconditioned(),
          rest.isEmpty() ? "nothing" : rest);
    }
  }

  /**
   * Reads which parameters are trained. Returns whether K-FAC is another one now.
   *
   * @throws IllegalArgumentException as the factory, or if it describes a layer that the model has
   *     not, or leaves none, or if a layer has another K-FAC; K-FAC is the one before then
   */
  public boolean update() {
    Set<String> now = readTrained();
    if (kfac != null && now.equals(trained)) {
      return false;
    }
    boolean joins = kfac == null || all.stream().anyMatch(this::joins);
    if (kfac != null) {
      log(now);
    }
    if (joins) {
      KfacPreconditioner before = kfac;
      Map<String, Layer> layersBefore = new LinkedHashMap<>(known);
      Map<String, Layer> layers = wanted();
      kfac = create(layers, before == null ? options : settings(before.options()));
      known.clear();
      known.putAll(layers);
      if (before != null) {
        goOn(before, layersBefore, layers);
      }
      all.forEach(one -> one.describeAs(layer(one)));
      synchronized (ATTACHED) {
        ATTACHED.add(this);
      }
    }
    trained = now;
    return joins;
  }

  /** Refuses layers that another K-FAC has: it would precondition twice. */
  private void requireAlone(Set<String> names) {
    synchronized (ATTACHED) {
      for (TrainedLayers other : ATTACHED) {
        for (ModelLayer one : all) {
          if (other != this && names.contains(one.name()) && other.hasWeightOf(one)) {
            throw new IllegalArgumentException(
                ("layer '%s' has a K-FAC already, which was attached before and is not closed: close"
                        + " that one, or leave the layer out of one of them")
                    .formatted(one.name()));
          }
        }
      }
    }
  }

  private boolean hasWeightOf(ModelLayer layer) {
    return all.stream().anyMatch(one -> known.containsKey(one.name()) && one.sharesWeight(layer));
  }

  private Set<String> readTrained() {
    Set<String> names = new LinkedHashSet<>();
    for (ModelLayer one : all) {
      if (one.trains()) {
        names.add(one.name() + " weight");
      }
      if (one.trainsBias()) {
        names.add(one.name() + " bias");
      }
    }
    return names;
  }

  private boolean joins(ModelLayer one) {
    return !leftOut.contains(one.name())
        && one.trains()
        && (layer(one) == null || layer(one).bias() != one.trainsBias());
  }

  private void log(Set<String> now) {
    List<String> unfrozen = new ArrayList<>(now);
    unfrozen.removeAll(trained);
    List<String> frozen = new ArrayList<>(trained);
    frozen.removeAll(now);
    log.log(
        System.Logger.Level.INFO,
        "K-FAC from step {0} on: parameters unfrozen {1}, frozen {2}",
        kfac.step(),
        unfrozen,
        frozen);
  }

  /** The layers that are trained now, and those that were, as the model tells. */
  private Map<String, Layer> wanted() {
    Map<String, Layer> wanted = new LinkedHashMap<>();
    for (ModelLayer one : all) {
      boolean waits = !one.trains() && layer(one) != null;
      if (!leftOut.contains(one.name()) && (one.trains() || waits)) {
        try {
          wanted.put(one.name(), one.describe(waits ? layer(one).bias() : one.trainsBias()));
        } catch (IllegalArgumentException e) {
          leaveOut(one.name(), e.getMessage());
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

  /** Leaves a layer to the optimizer from now on, and says why. */
  public void leaveOut(String name, String reason) {
    leftOut.add(name);
    known.remove(name);
    all.stream().filter(one -> one.name().equals(name)).forEach(one -> one.describeAs(null));
    log.log(System.Logger.Level.WARNING, "K-FAC leaves {0} to the optimizer: {1}", name, reason);
  }

  private KfacPreconditioner create(Map<String, Layer> layers, KfacOptions settings) {
    Set<String> offered = Set.copyOf(layers.keySet());
    Set<String> named = new HashSet<>(settings.approximations().keySet());
    named.removeIf(name -> !offered.contains(name) && names().contains(name));
    KfacPreconditioner created = factory.create(layers, settings.forLayers(named));
    try {
      layers.keySet().forEach(this::requireKnown);
      requireAlone(layers.keySet());
      if (layers.isEmpty()) {
        throw new IllegalArgumentException(
            "no layer of the model is left for K-FAC, of " + names());
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
    synchronized (ATTACHED) {
      ATTACHED.remove(this);
    }
    if (kfac != null) {
      kfac.close();
    }
  }
}
