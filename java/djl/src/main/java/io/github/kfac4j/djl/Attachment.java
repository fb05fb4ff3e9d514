package io.github.kfac4j.djl;

import ai.djl.Model;
import ai.djl.ndarray.NDList;
import ai.djl.training.ParameterStore;
import io.github.kfac4j.Approximation;
import io.github.kfac4j.KfacOptions;
import io.github.kfac4j.KfacVerbs;
import io.github.kfac4j.fisher.Fisher;
import io.github.kfac4j.layer.Layer;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/** A model with its taps, and the K-FAC that listens to them as soon as there are shapes. */
final class Attachment implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger(DjlKfac.class.getName());

  private final KfacOptions options;
  private final Fisher fisher;
  private final DjlKfac.Factory factory;
  private final ModelTaps taps;

  private int microBatches = 1;
  private KfacVerbs kfac;
  private Step step;

  /**
   * Puts the taps in.
   *
   * @throws IllegalArgumentException as {@link ModelTaps}, or if EKFAC would measure nothing
   * @throws IllegalStateException as {@link ModelTaps}
   */
  Attachment(Model model, KfacOptions options, Fisher fisher, DjlKfac.Factory factory) {
    requireMeasurable(options);
    this.options = options.withEstimator(fisher.estimator());
    this.fisher = fisher;
    this.factory = factory;
    this.taps = new ModelTaps(model, this::run);
  }

  private static void requireMeasurable(KfacOptions options) {
    boolean ekfac =
        options.approximation() == Approximation.EKFAC
            || options.approximations().containsValue(Approximation.EKFAC);
    if (ekfac && options.intervals().inverses() == 1) {
      throw new IllegalArgumentException(
          "EKFAC measures its moments between refreshes, but inverses are renewed in every step:"
              + " choose intervals such as withIntervals(1, 10)");
    }
  }

  ModelTaps taps() {
    return taps;
  }

  private NDList run(ParameterStore store, NDList inputs, Supplier<NDList> forward) {
    taps.initialize(store, inputs);
    verbs();
    return step.run(store, inputs, forward);
  }

  /**
   * The K-FAC, made at the first call.
   *
   * @throws IllegalStateException if the model has not been initialized
   */
  KfacVerbs verbs() {
    if (kfac == null) {
      if (!taps.isInitialized()) {
        throw new IllegalStateException("initialize the model first: trainer.initialize(shape)");
      }
      Map<String, Layer> layers = taps.describe();
      layers.values().removeIf(layer -> !options.convention().has(layer));
      kfac = create(layers);
      step = new Step(kfac, taps.taps(), fisher, taps.parameters().values());
      step.setMicroBatches(microBatches);
      List<String> others = taps.others();
      LOG.log(
          System.Logger.Level.INFO,
          "K-FAC preconditions {0}; the optimizer alone trains {1}",
          layers.keySet(),
          others.isEmpty() ? "nothing" : others);
    }
    return kfac;
  }

  private KfacVerbs create(Map<String, Layer> layers) {
    KfacVerbs created = factory.create(layers, options);
    try {
      taps.keep(layers);
      return created;
    } catch (IllegalArgumentException e) {
      created.close();
      throw e;
    }
  }

  void setMicroBatches(int count) {
    microBatches = count;
    if (step != null) {
      step.setMicroBatches(count);
    }
  }

  /**
   * The step whose passes have been run.
   *
   * @throws IllegalStateException if there was no pass
   */
  Step step() {
    if (step == null || !step.hasPass()) {
      throw new IllegalStateException(
          "there is no training pass to precondition: run forward and backward, inside a gradient"
              + " collector, before each call of precondition()");
    }
    return step;
  }

  /** Takes the taps out and frees the state; idempotent. */
  @Override
  public void close() {
    taps.close();
    if (kfac != null) {
      step.close();
      kfac.close();
    }
  }
}
