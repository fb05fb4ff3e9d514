package io.github.kfac4j.djl;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.DataType;
import ai.djl.nn.Parameter;
import ai.djl.training.ParameterStore;
import io.github.kfac4j.Kfac;
import io.github.kfac4j.LayerGradient;
import io.github.kfac4j.Observation;
import io.github.kfac4j.StepReport;
import io.github.kfac4j.tensor.Tensor;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.function.Supplier;

/** What happens in a training step: passes, normally one, then the preconditioning. */
final class Step implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger(DjlKfac.class.getName());

  private final Kfac kfac;
  private final List<Tap> taps;
  private final SampledBackward sampled;
  private boolean gpuNamed;

  private Pass pass;
  private int passes;
  private final Set<Tap> used = new HashSet<>();
  private boolean observed;
  private long sampleTime;
  private long observeTime;
  private StepTimes times;

  Step(Kfac kfac, List<Tap> taps, Fisher fisher, List<Parameter> parameters) {
    this.kfac = kfac;
    this.taps = taps;
    this.sampled = fisher.sampled() ? new SampledBackward(fisher.seed(), parameters) : null;
  }

  boolean hasPass() {
    return pass != null;
  }

  StepTimes times() {
    return times;
  }

  /** Runs a forward pass and captures what the layers see. */
  NDList run(ParameterStore store, NDList inputs, Supplier<NDList> forward) {
    boolean observes = kfac.wantsObservations() && !observed;
    begin(new Pass(store, inputs.head(), observes));
    NDList outputs;
    try {
      taps.forEach(tap -> tap.record(pass));
      outputs = forward.get();
    } finally {
      taps.forEach(tap -> tap.record(null));
    }
    used.addAll(pass.used());
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
      pass.close();
    }
    pass = next;
    passes++;
  }

  private void sample(NDList outputs) {
    long start = System.nanoTime();
    sampled.run(pass, outputs, kfac.state().step());
    long end = System.nanoTime();
    sampleTime += end - start;
    // the seed of the backward pass was the gradient of a sum already
    kfac.observe(observations(1));
    observed = true;
    for (Capture capture : pass.captures()) {
      if (ThroughBatch.isCheaper(capture.tap().layer(), capture.input().getShape())) {
        capture.reset();
      } else {
        capture.stop();
        pass.remove(capture);
      }
    }
    observeTime += System.nanoTime() - end;
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
    return observations;
  }

  /** Preconditions the gradients; ends the step. */
  StepReport precondition() {
    try {
      long start = System.nanoTime();
      if (pass.observes() && sampled == null) {
        kfac.observe(observations(pass.examples()));
      }
      long afterObserve = System.nanoTime();
      if (kfac.wantsRefresh()) {
        kfac.refresh();
      }
      long afterRefresh = System.nanoTime();
      StepReport report = preconditionGradients();
      times =
          new StepTimes(
              sampleTime,
              observeTime + afterObserve - start,
              afterRefresh - afterObserve,
              System.nanoTime() - afterRefresh);
      return report;
    } finally {
      close();
    }
  }

  private StepReport preconditionGradients() {
    List<LayerGradient> gradients = new ArrayList<>();
    List<HostArray> arrays = new ArrayList<>();
    for (Tap tap : taps) {
      NDArray weightGradient = pass.gradient(tap.weight());
      if (!used.contains(tap)) {
        requireUnused(tap, weightGradient);
      } else if (weightGradient != null) {
        HostArray weight = new HostArray(tap.name(), "weight gradient", weightGradient);
        arrays.add(weight);
        Tensor bias = null;
        if (tap.bias() != null) {
          HostArray biasArray =
              new HostArray(tap.name(), "bias gradient", pass.gradient(tap.bias()));
          arrays.add(biasArray);
          bias = biasArray.tensor();
        }
        gradients.add(
            new LayerGradient(tap.name(), weight.tensor(), bias, source(tap, weightGradient)));
      }
    }
    StepReport report = kfac.precondition(gradients);
    arrays.forEach(HostArray::store);
    return report;
  }

  /** The observation that gave the gradient, if it is at hand and saves work. */
  private Observation source(Tap tap, NDArray weightGradient) {
    Capture capture = pass.capture(tap);
    if (passes != 1 || capture == null) {
      return null;
    }
    return ThroughBatch.source(capture, pass, weightGradient);
  }

  private static void requireUnused(Tap tap, NDArray weightGradient) {
    if (weightGradient != null
        && weightGradient.abs().sum().toType(DataType.FLOAT32, false).getFloat() != 0) {
      throw new IllegalStateException(
          ("layer '%s': has a gradient, but its output did not pass the tap: its parent holds it"
                  + " where K-FAC cannot reach (a lambda, a map), or ran it outside of the model's"
                  + " block; keep it in a field, an array or a list of the parent")
              .formatted(tap.name()));
    }
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
