package io.github.kfac4j.djl;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.nn.Parameter;
import ai.djl.training.ParameterStore;
import io.github.kfac4j.KfacVerbs;
import io.github.kfac4j.Observation;
import io.github.kfac4j.StepReport;
import io.github.kfac4j.fisher.Fisher;
import io.github.kfac4j.step.Preconditioner;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/** What happens in a training step: passes, normally one, then the preconditioning. */
final class Step implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger(DjlKfac.class.getName());

  private final KfacVerbs kfac;
  private final List<Tap> taps;
  private final SampledBackward sampled;
  private final List<Parameter> parameters;
  private int microBatches = 1;
  private boolean gpuNamed;

  private Pass pass;
  private int passes;
  private final Set<Tap> used = new HashSet<>();
  private boolean observed;
  private long sampleTime;
  private long observeTime;
  private StepTimes times;

  Step(KfacVerbs kfac, List<Tap> taps, Fisher fisher, List<Parameter> parameters) {
    this.kfac = kfac;
    this.taps = taps;
    this.parameters = parameters;
    this.sampled =
        fisher.estimator() == Fisher.Estimator.EMPIRICAL
            ? null
            : new SampledBackward(fisher, parameters);
  }

  /** Passes that make up a step; with several, factors and gradients become their means. */
  void setMicroBatches(int count) {
    microBatches = count;
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
    boolean observes = kfac.wantsObservations() && (!observed || microBatches > 1);
    begin(new Pass(store, inputs.head(), observes));
    NDList outputs;
    try {
      taps.forEach(tap -> tap.record(pass));
      outputs = forward.get();
    } finally {
      taps.forEach(tap -> tap.record(null));
    }
    used.addAll(pass.used());
    if (observes) {
      List<Observation> seen = pass.captures().stream().map(Capture::inputObservation).toList();
      kfac.observeInputs(seen, 1.0 / microBatches);
    }
    if (observes && sampled != null) {
      sample(outputs);
    }
    return outputs;
  }

  private void begin(Pass next) {
    if (passes > 0 && passes == microBatches && microBatches > 1) {
      throw new IllegalStateException(
          "a step has %d micro-batches, but this would be one more: call precondition()"
              .formatted(microBatches));
    }
    if (next.device().isGpu() && !gpuNamed) {
      gpuNamed = true;
      LOG.log(
          System.Logger.Level.INFO,
          "K-FAC copies inputs and gradients from {0} to the host",
          next.device());
    }
    if (pass != null) {
      if (microBatches > 1) {
        observeGradients();
      }
      pass.close();
      if (!pass.device().equals(next.device())) {
        throw new IllegalStateException(
            "K-FAC works on one device, but the passes of one step ran on %s and %s"
                .formatted(pass.device(), next.device()));
      }
    }
    pass = next;
    passes++;
  }

  private void sample(NDList outputs) {
    long start = System.nanoTime();
    long before = observeTime;
    long draw = Math.multiplyExact(kfac.step(), microBatches) + passes - 1;
    sampled.run(pass, outputs, draw, this::observe);
    long end = System.nanoTime();
    sampleTime += end - start - (observeTime - before);
    observed = true;
    for (Capture capture : pass.captures()) {
      if (ThroughBatch.isCheaper(capture.tap().layer(), capture.input().getShape())) {
        capture.reset();
      } else {
        capture.stop();
        pass.remove(capture);
      }
    }
  }

  /** Takes the gradients of the loss itself into the factors, if the pass was for that. */
  private void observeGradients() {
    if (pass.observes() && sampled == null) {
      observe(pass.examples(), 0, 1);
    }
  }

  /** Takes one of {@code count} backward passes of a micro-batch into the factors. */
  private void observe(double scale, int index, int count) {
    long start = System.nanoTime();
    kfac.observe(observations(scale), 1.0 / microBatches, index, count);
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
          "no layer has a gradient: run the backward pass before precondition()");
    }
    if (kfac.step() == 0) {
      Set<String> seen = observations.stream().map(Observation::layer).collect(Collectors.toSet());
      taps.stream().filter(tap -> !seen.contains(tap.name())).findFirst().ifPresent(Step::refuse);
    }
    return observations;
  }

  /** What follows the last backward pass: micro-batches are averaged, factors observed. */
  void prepare() {
    if (microBatches > 1) {
      averageMicroBatches();
    }
    taps.stream()
        .filter(tap -> !used.contains(tap) && Gradients.isPresent(pass, tap.weight()))
        .findFirst()
        .ifPresent(Step::refuse);
    observeGradients();
  }

  /** Other damping and, if it is positive, another learning rate for the KL clip. */
  void reconfigure(double damping, double learningRate) {
    kfac.reconfigure(Preconditioner.settings(kfac.options(), damping, learningRate));
  }

  /**
   * Preconditions the gradients in place.
   *
   * @param refresh whether inverses are renewed even if they are not due
   * @param plain whether the gradients are those of the loss, with nothing added
   */
  StepReport precondition(boolean refresh, boolean plain) {
    long start = System.nanoTime();
    if (refresh || kfac.wantsRefresh()) {
      kfac.refresh();
    }
    long refreshEnd = System.nanoTime();
    Gradients gradients = gradients(plain);
    StepReport report = kfac.precondition(gradients.layers());
    gradients.store();
    times =
        new StepTimes(sampleTime, observeTime, refreshEnd - start, System.nanoTime() - refreshEnd);
    return report;
  }

  /** Renews inverses and preconditions the gradients in place, without ending the step. */
  void preview(boolean plain) {
    kfac.refresh();
    Gradients gradients = gradients(plain);
    kfac.preview(gradients.layers());
    gradients.store();
  }

  private Gradients gradients(boolean plain) {
    Gradients gradients = new Gradients(pass);
    taps.stream().filter(used::contains).forEach(tap -> gradients.add(tap, plain && passes == 1));
    return gradients;
  }

  private void averageMicroBatches() {
    if (passes != microBatches) {
      throw new IllegalStateException(
          "a step has %d micro-batches, but there were %d passes".formatted(microBatches, passes));
    }
    for (Parameter parameter : parameters) {
      NDArray gradient = parameter.requiresGradient() ? pass.gradient(parameter) : null;
      if (gradient != null) {
        gradient.divi(microBatches);
      }
    }
  }

  private static void refuse(Tap tap) {
    throw new IllegalStateException(
        ("layer '%s': did not pass through its tap. If it takes no part in training, freeze it. If"
                + " its parent calls it from where K-FAC cannot reach, such as a lambda or a map,"
                + " keep it in a field, an array or a list of the parent")
            .formatted(tap.name()));
  }

  /** Drops a step that has not come to its end; idempotent. */
  @Override
  public void close() {
    if (pass != null) {
      pass.close();
    }
    pass = null;
    passes = 0;
    used.clear();
    observed = false;
    sampleTime = 0;
    observeTime = 0;
  }
}
