package io.github.kfac4j.trainer;

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
import java.util.function.Supplier;

/**
 * The K-FAC of those layers of a model that are trained. When a parameter joins that it does not
 * have, it is made anew with the layer added and goes on with the state of the others. A layer that
 * is frozen stays in it and waits.
 */
public final class TrainedLayers implements AutoCloseable {
  /** A layer of the model, as its framework shows it. */
  public interface Source {
    /** The name, unique in the model. */
    String name();

    /** Whether the weight is trained now. */
    boolean trains();

    /** Whether there is a bias and it is trained now. */
    boolean trainsBias();

    /**
     * Describes the layer by what the framework tells of it.
     *
     * @throws IllegalArgumentException saying why, if K-FAC has no layer that is exactly it
     */
    Layer read(boolean withBias);

    /** What K-FAC has the layer as; null if it has none. */
    Layer layer();

    /** Takes the layer for what K-FAC has, or for none of its layers if it is null. */
    void describeAs(Layer value);
  }

  /** Makes the K-FAC of a model. */
  @FunctionalInterface
  public interface Factory {
    /**
     * Makes it; called again, for all layers, when one joins.
     *
     * @param layers by name; may be changed, and a layer that is removed is left to the optimizer
     */
    KfacPreconditioner create(Map<String, Layer> layers, KfacOptions options);
  }

  private final List<? extends Source> sources;
  private final KfacOptions options;
  private final Factory factory;
  private final Supplier<List<String>> others;
  private final System.Logger log;

  /** Layers that the optimizer alone trains, by wish or by convention. */
  private final Set<String> leftOut;

  private Set<String> trained = Set.of();
  private KfacPreconditioner kfac;

  /**
   * K-FAC that is made at the first {@link #update}.
   *
   * @param sources all layers of the model that K-FAC could have
   * @param leftOut names of those that it is not to have
   * @param others names what the optimizer alone trains, for the log
   * @throws IllegalArgumentException if the model has no such layer
   */
  public TrainedLayers(
      List<? extends Source> sources,
      KfacOptions options,
      Factory factory,
      Set<String> leftOut,
      Supplier<List<String>> others,
      System.Logger log) {
    this.sources = sources;
    this.options = options;
    this.factory = factory;
    this.leftOut = new HashSet<>(leftOut);
    this.others = others;
    this.log = log;
    leftOut.forEach(this::requireKnown);
  }

  private List<String> names() {
    return sources.stream().map(Source::name).toList();
  }

  private void requireKnown(String name) {
    List<String> known = names();
    if (!known.contains(name)) {
      throw new IllegalArgumentException(
          "the model has no layer '%s'; it has %s".formatted(name, known));
    }
  }

  /** The K-FAC; null before the first update. */
  public KfacPreconditioner kfac() {
    return kfac;
  }

  /** Whether K-FAC has the layer, trained now or not. */
  public boolean has(Source source) {
    return kfac == null ? !leftOut.contains(source.name()) : source.layer() != null;
  }

  /**
   * Reads which parameters are trained. Returns whether K-FAC is another one now.
   *
   * @throws IllegalArgumentException as the factory, or if it describes a layer that the model has
   *     not, or leaves none; K-FAC is the one before then
   */
  public boolean update() {
    Set<String> now = readTrained();
    if (kfac != null && now.equals(trained)) {
      return false;
    }
    boolean joins = kfac == null || sources.stream().anyMatch(this::joins);
    if (kfac != null) {
      log(now);
    }
    if (joins) {
      KfacPreconditioner before = kfac;
      Map<String, Layer> layersBefore = layers();
      Map<String, Layer> layers = wanted();
      kfac = create(layers, before == null ? options : settings(before.options()));
      sources.forEach(source -> source.describeAs(layers.get(source.name())));
      if (before == null) {
        List<String> left = others.get();
        log.log(
            System.Logger.Level.INFO,
            "K-FAC preconditions {0}; the optimizer alone trains {1}",
            layers.keySet(),
            left.isEmpty() ? "nothing" : left);
      } else {
        goOn(before, layersBefore, layers);
      }
    }
    trained = now;
    return joins;
  }

  private Set<String> readTrained() {
    Set<String> now = new LinkedHashSet<>();
    for (Source source : sources) {
      if (source.trains()) {
        now.add(source.name() + " weight");
      }
      if (source.trainsBias()) {
        now.add(source.name() + " bias");
      }
    }
    return now;
  }

  private boolean joins(Source source) {
    return !leftOut.contains(source.name())
        && source.trains()
        && (source.layer() == null || source.layer().bias() != source.trainsBias());
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

  private Map<String, Layer> layers() {
    Map<String, Layer> layers = new LinkedHashMap<>();
    for (Source source : sources) {
      if (source.layer() != null) {
        layers.put(source.name(), source.layer());
      }
    }
    return layers;
  }

  /** The layers that are trained now, and those that were, as the framework tells. */
  private Map<String, Layer> wanted() {
    Map<String, Layer> wanted = new LinkedHashMap<>();
    for (Source source : sources) {
      boolean waits = !source.trains() && source.layer() != null;
      if (!leftOut.contains(source.name()) && (source.trains() || waits)) {
        try {
          wanted.put(
              source.name(), source.read(waits ? source.layer().bias() : source.trainsBias()));
        } catch (IllegalArgumentException e) {
          leftOut.add(source.name());
          logLeft(source.name(), e.getMessage());
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

  /** Says why a layer of the model is left to the optimizer. */
  public void logLeft(String name, String reason) {
    log.log(System.Logger.Level.WARNING, "K-FAC leaves {0} to the optimizer: {1}", name, reason);
  }

  private KfacPreconditioner create(Map<String, Layer> layers, KfacOptions settings) {
    Set<String> offered = Set.copyOf(layers.keySet());
    Set<String> named = new HashSet<>(settings.approximations().keySet());
    named.removeIf(name -> !offered.contains(name) && names().contains(name));
    KfacPreconditioner created = factory.create(layers, settings.forLayers(named));
    try {
      layers.keySet().forEach(this::requireKnown);
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
    if (kfac != null) {
      kfac.close();
    }
  }
}
