package io.github.kfac4j.djl;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.nn.Parameter;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.JniUtils;
import ai.djl.training.ParameterStore;
import io.github.kfac4j.KfacPreconditioner;
import io.github.kfac4j.data.Observation;
import io.github.kfac4j.data.StepReport;
import io.github.kfac4j.fisher.Fisher;
import io.github.kfac4j.trainer.Preconditioner;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.function.Supplier;

/** What happens in a training step: passes, normally one, then the preconditioning. */
final class Step implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger(DjlKfac.class.getName());

  private final List<Tap> taps;
  private final SampledBackward sampled;
  private final List<Parameter> parameters;
  private final MicroBatches microBatches;
  private KfacPreconditioner kfac;
  private double lossScale = 1;
  private boolean gpuNamed;
  private boolean lostForward;

  private Pass pass;
  private ParameterStore store;
  private Device device;
  private final Set<Tap> used = new HashSet<>();
  private boolean observed;
  private long sampleTime;
  private long observeTime;
  private StepTimes times;

  Step(List<Tap> taps, Fisher fisher, List<Parameter> parameters) {
    this.taps = taps;
    this.parameters = parameters;
    this.microBatches = new MicroBatches(parameters);
    this.sampled =
        fisher.estimator() == Fisher.Estimator.EMPIRICAL
            ? null
            : new SampledBackward(fisher, parameters);
  }

  /** Goes on with this K-FAC. */
  void setKfac(KfacPreconditioner value) {
    kfac = value;
  }

  /** Passes that make up a step; with several, factors and gradients become their means. */
  void setMicroBatches(int count) {
    microBatches.setCount(count);
  }

  /** What the loss of passes to come is multiplied by. */
  void setLossScale(double scale) {
    lossScale = scale;
  }

  boolean hasPass() {
    return pass != null;
  }

  Pass pass() {
    return pass;
  }

  StepTimes times() {
    return times;
  }

  /** Runs a forward pass and captures what the layers see. */
  NDList run(ParameterStore store, NDList inputs, Supplier<NDList> forward) {
    microBatches.requireNext();
    boolean observes = kfac.wantsObservations() && (!observed || microBatches.several());
    begin(new Pass(store, inputs.head(), observes, lossScale));
    NDList outputs;
    try {
      taps.forEach(tap -> tap.record(pass));
      outputs = forward.get();
    } finally {
      taps.forEach(tap -> tap.record(null));
    }
    used.addAll(pass.used());
    if (observes) {
      List<Observation> seen =
          pass.captures().stream().map(capture -> capture.inputObservation(pass)).toList();
      kfac.observeInputs(seen, microBatches.share());
    }
    if (observes && sampled != null) {
      sample(outputs);
    }
    return outputs;
  }

  private void begin(Pass next) {
    if (next.device().isGpu() && !gpuNamed) {
      gpuNamed = true;
      LOG.log(
          System.Logger.Level.INFO,
          "K-FAC copies inputs and gradients from {0} to the host",
          next.device());
    }
    if (pass != null) {
      if (microBatches.several()) {
        observeGradients();
      } else {
        nameLostForward();
      }
      pass.close();
      if (!pass.device().equals(next.device())) {
        throw new IllegalStateException(
            "K-FAC works on one device, but the passes of one step ran on %s and %s"
                .formatted(pass.device(), next.device()));
      }
    }
    double reweighed = microBatches.begin(next);
    if (reweighed != 1 && next.observes()) {
      kfac.reweigh(reweighed);
    }
    pass = next;
    store = next.store();
    device = next.device();
  }

  /** Whether a forward pass has been followed by another one before any backward pass. */
  boolean lostForward() {
    return lostForward;
  }

  /** Says once that a forward pass is followed by another one before any backward pass. */
  private void nameLostForward() {
    boolean lost =
        pass.observes()
            && sampled == null
            && pass.captures().stream().noneMatch(capture -> capture.hasGradient(pass));
    if (lost && !lostForward) {
      lostForward = true;
      LOG.log(
          System.Logger.Level.WARNING,
          "a training pass began before the backward pass of the one before it: K-FAC's factors"
              + " see the last pass of a step alone, as if it had given the gradient. Join the"
              + " inputs of both in one forward pass, or run the backward pass of each and say"
              + " setMicroBatches()");
    }
  }

  private void sample(NDList outputs) {
    long start = System.nanoTime();
    long before = observeTime;
    sampled.run(pass, outputs, microBatches.index(kfac.step()), this::observe);
    long end = System.nanoTime();
    sampleTime += end - start - (observeTime - before);
    observed = true;
    pass.captures().forEach(Capture::stop);
  }

  /** Takes the gradients of the loss itself into the factors, if the pass was for that. */
  private void observeGradients() {
    if (pass.observes() && sampled == null) {
      observe(pass.outputGradScale(), 0, 1);
    }
  }

  /** Takes one of {@code count} backward passes of a micro-batch into the factors. */
  private void observe(double scale, int index, int count) {
    long start = System.nanoTime();
    kfac.observe(observations(scale), microBatches.share(), index, count);
    observeTime += System.nanoTime() - start;
  }

  private List<Observation> observations(double scale) {
    List<Observation> observations =
        pass.captures().stream()
            .map(capture -> capture.observation(pass, scale))
            .filter(Objects::nonNull)
            .toList();
    if (observations.isEmpty()) {
      throw new IllegalStateException(
          "no layer has a gradient: run the backward pass before "
              + (microBatches.several()
                  ? "the next forward pass and before precondition(), or call discardStep()"
                  : "precondition()"));
    }
    return observations;
  }

  /**
   * What follows the last backward pass: factors are observed, micro-batches averaged. What is
   * refused here changes nothing, and the step goes on: a pass that is missing can still be run.
   */
  void prepare() {
    microBatches.requireAll();
    taps.stream()
        .filter(Tap::active)
        .filter(tap -> !used.contains(tap) && Gradients.isPresent(pass, tap.weight()))
        .findFirst()
        .ifPresent(Step::refuse);
    observeGradients();
    microBatches.average(pass);
  }

  /** Whether the step is one of those that change no weights. */
  boolean burningIn() {
    return kfac.options().intervals().burningIn(kfac.step());
  }

  /** The damping in force. */
  double damping() {
    return kfac.options().damping();
  }

  /** Other damping and, if it is positive, another learning rate for the KL clip. */
  void reconfigure(double damping, double learningRate) {
    kfac.reconfigure(Preconditioner.settings(kfac.options(), damping, learningRate));
  }

  /**
   * Preconditions the gradients in place. In the burn-in all gradients of the model become zeros.
   *
   * @param refresh whether inverses are renewed even if they are not due
   */
  StepReport precondition(boolean refresh) {
    boolean burnIn = burningIn();
    long start = System.nanoTime();
    if (!burnIn && (refresh || kfac.wantsRefresh())) {
      kfac.refresh();
    }
    long refreshEnd = System.nanoTime();
    Gradients gradients = gradients();
    StepReport report = kfac.precondition(gradients.layers());
    if (burnIn) {
      clearGradients();
      gradients.markPresent();
    }
    gradients.store();
    times =
        new StepTimes(sampleTime, observeTime, refreshEnd - start, System.nanoTime() - refreshEnd);
    return report;
  }

  /** Renews inverses and preconditions the gradients in place, without ending the step. */
  void preview() {
    kfac.refresh();
    Gradients gradients = gradients();
    kfac.preview(gradients.layers());
    gradients.store();
  }

  private Gradients gradients() {
    Gradients gradients = new Gradients(pass);
    taps.stream().filter(Tap::active).filter(used::contains).forEach(gradients::add);
    return gradients;
  }

  /** Makes all gradients of the model zeros, whatever they hold: NaN less NaN is none. */
  void clearGradients() {
    for (Parameter parameter : parameters) {
      if (parameter.requiresGradient()) {
        PtNDArray value = (PtNDArray) store.getValue(parameter, device, true);
        try (NDArray gradient = JniUtils.getGradient(value)) {
          if (gradient != null) {
            JniUtils.zeroGrad(value);
          }
        }
      }
    }
  }

  /** Drops the step: what it left in K-FAC and in the gradients. */
  void discard() {
    close();
    if (kfac != null) {
      kfac.discardStep();
    }
    if (store != null) {
      clearGradients();
    }
  }

  private static void refuse(Tap tap) {
    throw new IllegalStateException(
        ("layer '%s': did not pass through its tap. If its parent calls it from where K-FAC cannot"
                + " reach, such as a lambda or a map, keep it in a field, an array or a list of the"
                + " parent, or leave the layer out of K-FAC")
            .formatted(tap.name()));
  }

  /** Drops what the passes have captured; idempotent. */
  @Override
  public void close() {
    if (pass != null) {
      pass.close();
    }
    pass = null;
    microBatches.reset();
    used.clear();
    observed = false;
    sampleTime = 0;
    observeTime = 0;
  }
}
