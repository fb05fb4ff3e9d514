package io.github.kfac4j;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.github.kfac4j.approximation.Blocks;
import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.curvature.Allocation;
import io.github.kfac4j.curvature.Allocation.Keeps;
import io.github.kfac4j.curvature.Curvature.Batch;
import io.github.kfac4j.curvature.Curvature.Part;
import io.github.kfac4j.curvature.LayerState;
import io.github.kfac4j.curvature.MemoryErrors;
import io.github.kfac4j.curvature.OpenStep;
import io.github.kfac4j.curvature.StateIdentity;
import io.github.kfac4j.data.ExamplesFirst;
import io.github.kfac4j.data.LayerStatistics;
import io.github.kfac4j.data.Observation;
import io.github.kfac4j.data.Share;
import io.github.kfac4j.layer.Layer;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.reference.FallbackBackend;
import io.github.kfac4j.safetensors.StoredTensor;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.regex.Pattern;

/**
 * The observing half of K-FAC: the running averages of what layers saw. {@link Kfac} adds inverses
 * to it; {@link BatchStatistics} is it alone.
 */
final class Statistics implements AutoCloseable {
  private static final double SHARE_ROUNDING = 1e-9;
  private static final Pattern HALF_PAIR = Pattern.compile("\\p{Cs}");

  private static final System.Logger LOG = System.getLogger(Kfac.class.getName());

  private final Backend backend;
  private final Blocks blocks;
  private final KfacState state;
  private final CheckedBatches batches;
  private boolean observing;

  /**
   * Averages of nothing yet.
   *
   * @param keeps what is kept of each layer
   * @throws IllegalArgumentException as {@link Kfac}
   */
  Statistics(
      Backend backend, Map<String, ? extends Layer> layers, KfacOptions options, Keeps keeps) {
    if (layers.isEmpty()) {
      throw new IllegalArgumentException("K-FAC needs at least one layer");
    }
    layers.keySet().forEach(Statistics::requireSavable);
    this.backend = new FallbackBackend(backend, line -> LOG.log(System.Logger.Level.WARNING, line));
    this.blocks = new Blocks(this.backend, options);
    requireKnown(options.approximations(), layers);
    Map<String, LayerState> states = new LinkedHashMap<>();
    layers.forEach(
        (name, layer) ->
            states.put(
                name,
                new LayerState(
                    name, layer, blocks.of(name, layer), StateIdentity.of(name, layer, options))));
    Allocation.make(this.backend, states.values(), keeps);
    this.state = new KfacState(this.backend, states, new OpenStep(keeps.discardable()));
    this.batches = new CheckedBatches(this.backend, state);
  }

  /** Names are those of tensors in saved states, which are UTF-8. */
  private static void requireSavable(String name) {
    if (!UTF_8.newEncoder().canEncode(name)) {
      String shown =
          HALF_PAIR
              .matcher(name)
              .replaceAll(half -> "\\\\u%04x".formatted((int) half.group().charAt(0)));
      throw new IllegalArgumentException(
          LayerState.prefix(shown)
              + "its name is not valid Unicode, as one half of a surrogate pair stands alone, and"
              + " could not be saved; choose another");
    }
  }

  private static void requireKnown(Map<String, ?> named, Map<String, ?> layers) {
    for (String name : named.keySet()) {
      if (!layers.containsKey(name)) {
        throw new IllegalArgumentException(
            LayerState.prefix(name)
                + "an approximation is set for it, but it is unknown; known are "
                + layers.keySet());
      }
    }
  }

  /** The caller's, with the reference backend behind it. */
  Backend backend() {
    return backend;
  }

  Blocks blocks() {
    return blocks;
  }

  KfacState state() {
    return state;
  }

  /** Whether anything was observed, or handed over, by this instance or the state before it. */
  boolean anyObserved() {
    return observing || state.observed();
  }

  /**
   * Takes a backward pass in. Of several through one forward pass the first makes A, where inputs
   * can be observed apart, and all make G.
   *
   * @param observations of layers that are due
   */
  void observe(List<Observation> observations, Share share, KfacOptions options) {
    if (share.passes() == 1) {
      observe(observations, share.fraction(), options, layer -> Part.BOTH);
    } else {
      List<Observation> apart =
          observations.stream().filter(one -> inputsApart(one.layer())).toList();
      observe(
          observations, share.weight(), options, layer -> inputsApart(layer) ? Part.G : Part.BOTH);
      if (share.pass() == 0 && !apart.isEmpty()) {
        observe(apart, share.fraction(), options, layer -> Part.A);
      }
    }
    count(share.weight());
  }

  private boolean inputsApart(String layer) {
    return state.layer(layer).curvature.inputsApart();
  }

  /** Updates some of the averages; the share is for the caller to {@link #count}. */
  void observe(
      List<Observation> observations,
      double share,
      KfacOptions options,
      Function<String, Part> parts) {
    double before = shareBefore();
    if (!(share > 0) || before + share > 1 + SHARE_ROUNDING) {
      throw new IllegalArgumentException(
          "the shares of the micro-batches of a step must be positive and add to 1, but after %s comes %s"
              .formatted(before, share));
    }
    List<Batch> seen =
        MemoryErrors.naming(
            observations.stream().map(Observation::layer).toList(),
            () ->
                batches.of(needed(observations, options.maxExamples()), parts).stream()
                    .map(batch -> batch.prepared().scaled(options))
                    .toList());
    // after shares s the average is (d X + (1 - d) sum s_k X_k) / (d + (1 - d) sum s_k)
    double decay = options.decay();
    double weightBefore = decay + (1 - decay) * before;
    double weight = decay + (1 - decay) * (before + share);
    seen.forEach(batch -> state.open().keepAverages(batch.state()));
    blocks.observe(seen, share == 1 ? options : options.withDecay(weightBefore / weight));
    observing = true;
  }

  /** The first examples of each pass. */
  private List<Observation> needed(List<Observation> observations, int maxExamples) {
    return observations.stream()
        .map(one -> needed(state.layer(one.layer()), one, maxExamples))
        .toList();
  }

  /** What is observed of a pass, its examples first where that matters. */
  private static Observation needed(LayerState state, Observation whole, int maxExamples) {
    if (whole.examples() <= maxExamples
        && !state.layer.groupsByExample()
        && !state.curvature.groupsByExample()) {
      return whole;
    }
    try {
      return ExamplesFirst.of(whole, state.layer, maxExamples);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(LayerState.prefix(state.name) + e.getMessage(), e);
    }
  }

  /** Counts a share whose averages have been updated. */
  void count(double share) {
    state.open().observedShare = shareBefore() + share;
  }

  private double shareBefore() {
    double share = state.open().observedShare;
    return share > 1 - SHARE_ROUNDING ? 0 : share;
  }

  /** Takes in statistics of a whole step that were made elsewhere. */
  void add(Map<String, LayerStatistics> statistics, double decay) {
    statistics.forEach((name, fresh) -> state.layer(name).requireFits(fresh));
    statistics.keySet().forEach(name -> state.open().keepAverages(state.layer(name)));
    statistics.forEach((name, fresh) -> state.layer(name).observe(fresh, decay));
    observing = true;
  }

  /** Takes over all of another state but its number of steps. */
  void adopt(Map<String, StoredTensor> tensors) {
    state.adopt(tensors);
    observing = true;
  }

  /** Multiplies the share that all observations of the step so far have. */
  void reweigh(double factor, double decay) {
    double before = shareBefore();
    double after = before * factor;
    if (!(after > 0) || after > 1 + SHARE_ROUNDING) {
      throw new IllegalArgumentException(
          "what was observed of a step must keep a share in (0, 1], but would have " + after);
    }
    double weightBefore = decay + (1 - decay) * before;
    double weight = decay + (1 - decay) * after;
    if (decay > 0) { // without it there is nothing that it is weighed against
      state.open().mix(factor * weightBefore / weight, decay * (1 - factor) / weight);
    }
    state.open().observedShare = after;
  }

  /** Frees all matrices; idempotent. */
  @Override
  public void close() {
    state.layers().values().forEach(LayerState::close);
    state.open().close();
  }
}
