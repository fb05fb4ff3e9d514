package io.github.kfac4j.djl;

import ai.djl.ndarray.NDList;
import ai.djl.nn.Parameter;
import ai.djl.training.ParameterStore;
import io.github.kfac4j.Kfac;
import io.github.kfac4j.Observation;
import io.github.kfac4j.StepReport;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Collectors;

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
    if (kfac.state().step() == 0) {
      Set<String> seen = observations.stream().map(Observation::layer).collect(Collectors.toSet());
      taps.stream().filter(tap -> !seen.contains(tap.name())).findFirst().ifPresent(Step::refuse);
    }
    return observations;
  }

  /** Preconditions the gradients; ends the step. */
  StepReport precondition() {
    try {
      long start = System.nanoTime();
      taps.stream()
          .filter(tap -> !used.contains(tap) && Gradients.isPresent(pass, tap.weight()))
          .findFirst()
          .ifPresent(Step::refuse);
      if (pass.observes() && sampled == null) {
        kfac.observe(observations(pass.examples()));
      }
      long observeEnd = System.nanoTime();
      if (kfac.wantsRefresh()) {
        kfac.refresh();
      }
      long refreshEnd = System.nanoTime();
      Gradients gradients = new Gradients(pass);
      taps.stream().filter(used::contains).forEach(tap -> gradients.add(tap, passes == 1));
      StepReport report = kfac.precondition(gradients.layers());
      gradients.store();
      times =
          new StepTimes(
              sampleTime,
              observeTime + observeEnd - start,
              refreshEnd - observeEnd,
              System.nanoTime() - refreshEnd);
      return report;
    } finally {
      close();
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
