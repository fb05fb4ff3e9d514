package io.github.kfac4j.trainer;

import io.github.kfac4j.KfacPreconditioner;
import io.github.kfac4j.data.Observation;
import io.github.kfac4j.data.Share;
import io.github.kfac4j.data.StepReport;
import io.github.kfac4j.fisher.Fisher;
import io.github.kfac4j.options.KfacOptions;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.Supplier;

/**
 * The half of an adapter that does not depend on the framework: what happens in a training step
 * from its first forward pass to the preconditioned gradients. It decides which passes are
 * captured, weighs micro-batches, runs the extra backward passes of a Fisher, and asks K-FAC for
 * its verbs; an adapter captures ({@link TrainingPass}) and gives access to gradients ({@link
 * ModelGradients}).
 *
 * <pre>{@code
 * P pass = ...;                           // captures what layers see if step.wantsNext() says so
 * step.begin(pass);                       // the forward pass runs
 * step.forwardDone(() -> outputs);
 * ...                                     // the backward pass; with micro-batches, more of both
 * step.endPasses();
 * StepReport report = step.precondition();
 * step.close();
 * }</pre>
 *
 * <p>After an error in any of these the step is still under way: {@link #discard} drops it. Used by
 * one thread at a time.
 *
 * @param <P> the passes of the adapter
 */
public final class TrainingStep<P extends TrainingPass> implements AutoCloseable {
  private final ModelGradients gradients;
  private final System.Logger log;
  private final SampledPasses sampled;
  private final MicroBatches microBatches;
  private KfacPreconditioner kfac;
  private double lossScale = 1;
  private boolean lostForward;
  private boolean saidUnclipped;

  private P pass;
  private boolean captured;
  private double outputGradScale;
  private boolean observed;
  private boolean shared;
  private long sampleTime;
  private long observeTime;
  private StepTimes times;
  private StepReport report;

  /**
   * No step yet; {@link #setKfac} comes before the first.
   *
   * @param fisher whose output gradients the factors are made of
   * @param gradients of the model
   * @param log is told of inversions that needed a fallback, and of passes that are lost
   */
  public TrainingStep(Fisher fisher, ModelGradients gradients, System.Logger log) {
    this.gradients = gradients;
    this.log = log;
    this.microBatches = new MicroBatches(gradients);
    boolean empirical = fisher.estimator() == Fisher.Estimator.EMPIRICAL;
    this.sampled = empirical ? null : new SampledPasses(fisher);
  }

  /** Goes on with this K-FAC, which stays the caller's to close. */
  public void setKfac(KfacPreconditioner value) {
    kfac = value;
  }

  /**
   * Passes that make up a step, each with the mean loss of its own examples; with several, factors
   * and gradients become the means over the examples of all. Within a step it says that there are
   * as many after all, such as the last ones of an epoch.
   *
   * @throws IllegalArgumentException if the count is not positive or there were more passes
   */
  public void setMicroBatches(int count) {
    setMicroBatches(count, false);
  }

  /**
   * The same for losses that are divided by the count, as gradients are commonly accumulated:
   * factors see the losses themselves, and gradients are left as they add up.
   *
   * @throws IllegalArgumentException likewise
   */
  public void setDividedMicroBatches(int count) {
    setMicroBatches(count, true);
  }

  private void setMicroBatches(int count, boolean divided) {
    double reweighed = microBatches.setCount(count, divided);
    if (reweighed != 1 && shared) { // the last pass is observed when the next one begins
      kfac.reweigh(reweighed);
    }
  }

  /**
   * What the mean loss of passes to come is multiplied by for its backward pass.
   *
   * @throws IllegalArgumentException if the scale is not positive and finite
   */
  public void setLossScale(double scale) {
    if (!(scale > 0) || Double.isInfinite(scale)) {
      throw new IllegalArgumentException("the loss scale must be positive but is " + scale);
    }
    lossScale = scale;
  }

  /** Whether a pass of this step has begun. */
  public boolean hasPass() {
    return pass != null;
  }

  /** The last pass of this step; null before the first. */
  public P pass() {
    return pass;
  }

  /** What the last step did; empty before the first one. */
  public Optional<StepReport> lastReport() {
    return Optional.ofNullable(report);
  }

  /** What the last step cost; empty before the first one. */
  public Optional<StepTimes> lastTimes() {
    return Optional.ofNullable(times);
  }

  /**
   * Whether the factors want the next pass, so that its layers must be captured.
   *
   * @throws IllegalStateException if the step has had all of its micro-batches
   */
  public boolean wantsNext() {
    microBatches.requireNext();
    return kfac.wantsObservations() && (!observed || microBatches.several());
  }

  /**
   * Begins a pass, which this step then owns. The output gradients of the one before are observed
   * if it was a micro-batch.
   *
   * @param next captured as {@link #wantsNext} has said
   */
  public void begin(P next) {
    boolean now = next.captured();
    if (pass != null) {
      if (microBatches.several()) {
        observeGradients();
      } else {
        nameLostForward();
      }
      pass.close();
    }
    double reweighed = microBatches.begin(next.examples());
    if (reweighed != 1 && now) {
      kfac.reweigh(reweighed);
    }
    pass = next;
    this.captured = now;
    this.outputGradScale = microBatches.divisor() * next.examples() / lossScale;
  }

  /**
   * Observes what the forward pass has captured, before the backward pass of the loss. For a Fisher
   * that is not the empirical one it runs backward passes from the outputs.
   *
   * @param outputs of the model, asked only by such a Fisher
   */
  public void forwardDone(Supplier<? extends TrainingPass.Outputs> outputs) {
    if (!captured) {
      return;
    }
    kfac.observeInputs(pass.inputs(), Share.of(microBatches.share()));
    if (sampled != null && !pass.expectsGradients()) {
      observe(outputGradScale, 0, 1);
      observed = true;
    } else if (sampled != null) {
      long start = System.nanoTime();
      long before = observeTime;
      try (TrainingPass.Outputs open = outputs.get()) {
        sampled.run(open, microBatches.index(kfac.step()), this::observe);
      }
      sampleTime += System.nanoTime() - start - (observeTime - before);
      observed = true;
    }
  }

  /** Whether a forward pass has been followed by another one before any backward pass. */
  public boolean lostForward() {
    return lostForward;
  }

  private void nameLostForward() {
    boolean lost = captured && sampled == null && pass.expectsGradients() && !pass.hasGradients();
    if (lost && !lostForward) {
      lostForward = true;
      log.log(
          System.Logger.Level.WARNING,
          "a training pass began before the backward pass of the one before it: K-FAC's factors"
              + " see the last pass of a step alone, as if it had given the gradient. Join the"
              + " inputs of both in one forward pass, or run the backward pass of each and say"
              + " setMicroBatches()");
    }
  }

  /** Takes the gradients of the loss itself into the factors, if the pass was for that. */
  private void observeGradients() {
    if (captured && sampled == null) {
      observe(outputGradScale, 0, 1);
    }
  }

  /**
   * Takes one of {@code count} backward passes of a micro-batch into the factors. If all layers of
   * the pass are frozen it has no observations, and counts all the same.
   */
  private void observe(double scale, int index, int count) {
    long start = System.nanoTime();
    List<Observation> observations = pass.observations(scale);
    if (observations.isEmpty() && pass.expectsGradients()) {
      throw new IllegalStateException(
          "no layer has a gradient from the last forward pass in training: run its backward pass"
              + (microBatches.several()
                  ? " before the next forward pass and before precondition(), or call discardStep()"
                  : " before precondition(), and passes that have none in evaluation"));
    }
    kfac.observe(observations, Share.of(microBatches.share()).ofPass(index, count));
    shared = true;
    observeTime += System.nanoTime() - start;
  }

  /**
   * Refuses a step that lacks passes: nothing has changed then, and they can still be run.
   *
   * @throws IllegalStateException if a forward pass is missing
   */
  public void requireAllPasses() {
    microBatches.requireAll();
  }

  /**
   * What follows the last backward pass: factors are observed, micro-batches averaged.
   *
   * @throws IllegalStateException if a pass is missing; it can still be run
   */
  public void endPasses() {
    requireAllPasses();
    observeGradients();
    microBatches.average();
  }

  /** Whether the step is one of those that change no weights. */
  public boolean burningIn() {
    return kfac.options().intervals().burningIn(kfac.step());
  }

  /**
   * Tells K-FAC, for its clip, the learning rate of the update that follows.
   *
   * @param rate one that is not positive changes nothing
   */
  public void followLearningRate(double rate) {
    KfacOptions options = kfac.options();
    if (rate > 0 && !options.learningRate().equals(OptionalDouble.of(rate))) {
      kfac.reconfigure(options.withLearningRate(rate));
    }
  }

  /**
   * Tells K-FAC, for its clip, the learning rate of the update that follows. If neither the trainer
   * nor the options know it nothing is clipped, which is said once.
   *
   * @param rate of the trainer's optimizer, if it can be read
   * @param remedy what to do if it cannot
   */
  public void followLearningRate(OptionalDouble rate, String remedy) {
    KfacOptions options = kfac.options();
    if (options.klClip().isEmpty()) {
      return;
    }
    rate.ifPresent(this::followLearningRate);
    if (rate.isEmpty() && options.learningRate().isEmpty() && !saidUnclipped) {
      saidUnclipped = true;
      log.log(
          System.Logger.Level.WARNING,
          "K-FAC does not know the learning rate and clips nothing: {0}",
          remedy);
    }
  }

  /** K-FAC's settings in force. */
  public KfacOptions options() {
    return kfac.options();
  }

  /** Preconditions the gradients in place. In the burn-in all of the model's become zeros. */
  public StepReport precondition() {
    return precondition(false);
  }

  /** The same, inverses being renewed even if they are not due, if that is wanted. */
  private StepReport precondition(boolean refresh) {
    boolean burnIn = burningIn();
    long start = System.nanoTime();
    if (!burnIn && (refresh || kfac.wantsRefresh())) {
      kfac.refresh();
    }
    long refreshEnd = System.nanoTime();
    ModelGradients.Layers layers = gradients.ofLayers();
    report = kfac.precondition(layers.layers());
    if (burnIn) {
      gradients.clear();
    }
    layers.store();
    times =
        new StepTimes(sampleTime, observeTime, refreshEnd - start, System.nanoTime() - refreshEnd);
    report.fallbacks().forEach(line -> log.log(System.Logger.Level.WARNING, line));
    return report;
  }

  /** K-FAC on this step's gradients, for a {@link KfacOptimizer}. */
  public Preconditioner preconditioner() {
    return new Preconditioner() {
      @Override
      public void precondition(double damping, double learningRate, Refresh refresh) {
        reconfigure(damping, learningRate);
        TrainingStep.this.precondition(refresh == Refresh.NOW);
      }

      @Override
      public void preview(double damping) {
        reconfigure(damping, 0);
        kfac.refresh();
        ModelGradients.Layers layers = gradients.ofLayers();
        kfac.preview(layers.layers());
        layers.store();
      }
    };
  }

  private void reconfigure(double damping, double learningRate) {
    kfac.reconfigure(Preconditioner.settings(kfac.options(), damping, learningRate));
  }

  /** Drops what the step has left in K-FAC; what it left in the gradients is the adapter's. */
  public void discard() {
    close();
    if (kfac != null) {
      kfac.discardStep();
    }
  }

  /** Ends the step, and drops what its passes have captured; idempotent. */
  @Override
  public void close() {
    if (pass != null) {
      pass.close();
    }
    pass = null;
    microBatches.reset();
    observed = false;
    shared = false;
    sampleTime = 0;
    observeTime = 0;
  }
}
