package io.github.kfac4j.djl;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.nn.Parameter;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.JniUtils;
import ai.djl.training.ParameterStore;
import io.github.kfac4j.fisher.Fisher;
import io.github.kfac4j.trainer.ModelGradients;
import io.github.kfac4j.trainer.TrainingStep;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** A training step's passes through a model with taps, and the model's gradients. */
final class Step implements ModelGradients, AutoCloseable {
  private static final System.Logger LOG = System.getLogger(DjlKfac.class.getName());

  private final Placement placement;
  private final List<Tap> taps;
  private final List<Parameter> parameters;
  private final Consumer<Tap> unreachable;
  private final TrainingStep<Pass> neutral;
  private final Set<Tap> used = new HashSet<>();
  private boolean gpuNamed;
  private ParameterStore store;
  private Device device;

  /**
   * No step yet.
   *
   * @param placement where K-FAC takes arrays
   * @param unreachable is told of a layer that has a gradient but has never run through its tap
   */
  Step(
      Placement placement,
      List<Tap> taps,
      Fisher fisher,
      List<Parameter> parameters,
      Consumer<Tap> unreachable) {
    this.placement = placement;
    this.taps = taps;
    this.unreachable = unreachable;
    this.parameters = parameters;
    this.neutral = new TrainingStep<>(fisher, this, LOG);
  }

  /** What is the same for every framework. */
  TrainingStep<Pass> neutral() {
    return neutral;
  }

  /** Runs a forward pass and captures what the layers see. */
  NDList run(ParameterStore parameterStore, NDList inputs, Supplier<NDList> forward) {
    boolean captured = neutral.wantsNext();
    requireSameDevice(inputs.head().getDevice());
    store = parameterStore;
    Pass pass = new Pass(placement, neutral.options(), store, inputs.head(), captured);
    neutral.begin(pass);
    NDList outputs;
    try {
      taps.forEach(tap -> tap.record(pass));
      outputs = forward.get();
    } finally {
      taps.forEach(tap -> tap.record(null));
    }
    used.addAll(pass.used());
    neutral.forwardDone(() -> new SampledOutputs(pass, outputs, parameters));
    return outputs;
  }

  private void requireSameDevice(Device next) {
    if (neutral.hasPass() && !device.equals(next)) {
      throw new IllegalStateException(
          "K-FAC works on one device, but the passes of one step ran on %s and %s"
              .formatted(device, next));
    }
    device = next;
    if (next.isGpu() && placement == Placement.HOST && !gpuNamed) {
      gpuNamed = true;
      LOG.log(
          System.Logger.Level.INFO, "K-FAC copies inputs and gradients from {0} to the host", next);
    }
  }

  /**
   * What follows the last backward pass. What is refused here changes nothing, and the step goes
   * on: a pass that is missing can still be run.
   */
  void endPasses() {
    neutral.requireAllPasses();
    taps.stream()
        .filter(Tap::active)
        .filter(tap -> !tap.heard() && Gradients.isPresent(neutral.pass(), tap.weight()))
        .forEach(unreachable);
    neutral.endPasses();
  }

  /** The largest learning rate that the optimizer is about to use for a layer's weight. */
  OptionalDouble learningRate() {
    return LearningRate.next(
        store, taps.stream().filter(Tap::active).map(tap -> tap.weight().getId()).toList());
  }

  @Override
  public Layers ofLayers() {
    Gradients gradients = new Gradients(neutral.pass(), neutral.burningIn());
    taps.stream().filter(Tap::active).filter(used::contains).forEach(gradients::add);
    if (neutral.burningIn()) {
      parameters.stream()
          .filter(Parameter::requiresGradient)
          .map(neutral.pass()::gradient)
          .filter(Objects::nonNull)
          .forEach(gradients::addOther);
    }
    return neutral.pass().ordered(gradients);
  }

  @Override
  public void multiply(double factor) {
    forEachTrained(
        value -> {
          try (NDArray gradient = JniUtils.getGradient(value)) {
            if (gradient != null) {
              gradient.muli(factor);
            }
          }
        });
  }

  @Override
  public void clear() {
    forEachTrained(
        value -> {
          try (NDArray gradient = JniUtils.getGradient(value)) {
            if (gradient != null) {
              JniUtils.zeroGrad(value);
            }
          }
        });
  }

  /** The arrays of the parameters that are trained. */
  private void forEachTrained(Consumer<PtNDArray> action) {
    parameters.stream()
        .filter(Parameter::requiresGradient)
        .forEach(parameter -> action.accept((PtNDArray) store.getValue(parameter, device, true)));
  }

  /** Drops the step: what it left in K-FAC and in the gradients. */
  void discard() {
    close();
    neutral.discard();
    if (store != null) {
      clear();
    }
  }

  /** Drops what the passes have captured; idempotent. */
  @Override
  public void close() {
    neutral.close();
    used.clear();
  }
}
