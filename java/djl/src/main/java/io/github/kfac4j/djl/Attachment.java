package io.github.kfac4j.djl;

import ai.djl.Model;
import ai.djl.ndarray.NDList;
import ai.djl.nn.Parameter;
import ai.djl.training.ParameterStore;
import io.github.kfac4j.KfacPreconditioner;
import io.github.kfac4j.fisher.Fisher;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.trainer.KfacFactory;
import io.github.kfac4j.trainer.TrainedLayers;
import io.github.kfac4j.trainer.TrainingStep;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;

/** A model with its taps, and the K-FAC that listens to them as soon as there are shapes. */
final class Attachment implements TappedRoot.Listener, AutoCloseable {
  private static final System.Logger LOG = System.getLogger(DjlKfac.class.getName());

  private final ModelTaps taps;
  private final TrainedLayers layers;
  private final Step step;

  /**
   * Puts the taps in, and makes K-FAC if the model is initialized.
   *
   * @param placement where K-FAC takes arrays
   * @param leftOut names of layers that K-FAC is not to have
   * @throws IllegalArgumentException as {@link ModelTaps} and {@link TrainedLayers}, or if EKFAC
   *     would measure nothing; the model is as it was then
   * @throws IllegalStateException as {@link ModelTaps}
   */
  Attachment(
      Model model,
      KfacOptions options,
      Fisher fisher,
      KfacFactory factory,
      Placement placement,
      Set<String> leftOut) {
    options.requireMeasurable();
    taps = new ModelTaps(model, this);
    try {
      KfacOptions settings = options.withEstimator(fisher.estimator());
      layers = new TrainedLayers(taps.taps(), settings, factory, leftOut, LOG);
      List<Parameter> parameters = List.copyOf(taps.parameters().values());
      step = new Step(placement, taps.taps(), fisher, parameters, this::leaveUnreachable);
      initialized();
    } catch (RuntimeException e) {
      taps.close();
      throw e;
    }
  }

  /** The model's blocks. */
  ModelTaps taps() {
    return taps;
  }

  /** Makes K-FAC as soon as the layers have shapes, so that what is wrong is said now. */
  @Override
  public void initialized() {
    if (taps.isInitialized() && layers.kfac() == null) {
      update();
    }
  }

  @Override
  public NDList run(ParameterStore store, NDList inputs, Supplier<NDList> forward) {
    taps.initialize(store, inputs);
    if (!step.neutral().hasPass()) {
      update();
    }
    return step.run(store, inputs, forward);
  }

  private void update() {
    boolean first = layers.kfac() == null;
    layers.update(step.neutral(), () -> taps.others(layers::has));
    if (first) {
      logReasons();
    }
  }

  private void leaveUnreachable(Tap tap) {
    layers.leaveOut(
        tap.name(),
        "its parent calls it from where K-FAC cannot reach, such as a lambda or a map; make it with"
            + " DjlKfac.reachable(layer)");
  }

  private void logReasons() {
    taps.reasons()
        .forEach(
            (name, reason) ->
                LOG.log(
                    System.Logger.Level.WARNING,
                    "K-FAC leaves {0} to the optimizer: {1}",
                    name,
                    reason));
  }

  /**
   * The K-FAC for the layers that are trained.
   *
   * @throws IllegalStateException if the model has not been initialized
   */
  KfacPreconditioner kfac() {
    if (!taps.isInitialized()) {
      throw new IllegalStateException("initialize the model first: trainer.initialize(shape)");
    }
    initialized();
    return layers.kfac();
  }

  /** Names of the layers that K-FAC has, as far as they are trained. */
  List<String> names() {
    return layers.preconditioned();
  }

  /** Other blocks with trainable parameters. */
  List<String> others() {
    return taps.others(tap -> layers.has(tap) && tap.trains());
  }

  /** What every adapter has: settings of steps, and what the last one did. */
  TrainingStep<Pass> steps() {
    return step.neutral();
  }

  /** Drops the step that is under way, if there is one. */
  void discardStep() {
    step.discard();
  }

  /**
   * The step whose passes have been run.
   *
   * @throws IllegalStateException if there was no pass
   */
  Step step() {
    if (!step.neutral().hasPass()) {
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
    step.close();
    layers.close();
  }
}
