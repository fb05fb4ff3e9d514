package io.github.kfac4j.distributed.asynchronous;

import io.github.kfac4j.Kfac;
import io.github.kfac4j.KfacPreconditioner;
import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.data.LayerGradient;
import io.github.kfac4j.data.LayerReport;
import io.github.kfac4j.data.Observation;
import io.github.kfac4j.data.Share;
import io.github.kfac4j.data.StepReport;
import io.github.kfac4j.distributed.ranks.Copies;
import io.github.kfac4j.layer.Layer;
import io.github.kfac4j.options.Approximation;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.safetensors.StoredTensor;
import java.util.List;
import java.util.Map;

/**
 * K-FAC whose statistics and inverses are computed by a worker in parallel with training (Ba et al.
 * 2017): {@link #observe} and {@link #refresh} hand work over and return, and {@link #precondition}
 * uses the newest inverses that have been published. Only before the first inverses, and when the
 * bound on staleness is reached, a step waits.
 *
 * <p>The logical clock of published inverses is the step at which their refresh was asked for; how
 * many steps later they take effect is their lag, at most the bound. With {@link Clock#LOGICAL} the
 * lag is always the bound, so that the same calls give the same bits however fast the worker is;
 * with bound 0 they are the bits of {@link Kfac}. With {@link Clock#WALL} inverses are used as soon
 * as they are available.
 *
 * <p>A failure of the worker is thrown by the next verb that is called after it. For Kronecker
 * blocks and intervals that are the same for all layers.
 */
public final class AsynchronousKfac implements KfacPreconditioner {
  private final Kfac steps;
  private final Kfac statistics;
  private final BackgroundThread worker = new BackgroundThread();
  private final int bound;
  private final Publications publications;
  private List<LayerReport> adopted = List.of();

  /**
   * Makes K-FAC and starts its worker.
   *
   * @param stepBackend preconditions; stays the caller's to close, after this
   * @param workerBackend makes statistics and inverses on a thread of its own; another instance of
   *     the same kind, likewise the caller's
   * @param layers by name
   * @param options settings
   * @param bound steps that inverses may lag behind, 0 for none
   * @param clock when inverses take effect
   * @throws IllegalArgumentException if the backends are one, the bound is negative, or the
   *     settings are not supported
   */
  public AsynchronousKfac(
      Backend stepBackend,
      Backend workerBackend,
      Map<String, ? extends Layer> layers,
      KfacOptions options,
      int bound,
      Clock clock) {
    require(stepBackend != workerBackend, "steps and worker need a backend each");
    require(
        options.intervals().similarity().isEmpty(),
        "adaptive intervals need inverses that do not lag");
    for (String layer : layers.keySet()) {
      require(
          options.approximationOf(layer) == Approximation.KRONECKER,
          "layer '%s': its approximation must be KRONECKER but is %s"
              .formatted(layer, options.approximationOf(layer)));
    }
    this.bound = bound;
    this.publications = new Publications(bound, clock, here -> here);
    this.steps = new Kfac(stepBackend, layers, options);
    this.statistics = new Kfac(workerBackend, layers, options);
  }

  private static void require(boolean ok, String problem) {
    if (!ok) {
      throw new IllegalArgumentException(problem);
    }
  }

  @Override
  public KfacOptions options() {
    return steps.options();
  }

  @Override
  public void reconfigure(KfacOptions changed) {
    steps.reconfigure(changed);
    worker.submit(() -> statistics.reconfigure(changed));
  }

  @Override
  public long step() {
    return steps.step();
  }

  @Override
  public boolean wantsObservations() {
    return steps.wantsObservations();
  }

  @Override
  public boolean wantsRefresh() {
    return steps.wantsRefresh();
  }

  /** {@inheritDoc} The tensors are copied, unless the bound is 0. */
  @Override
  public void observe(List<Observation> observations, Share share) {
    worker.throwFailure();
    if (bound == 0) {
      BackgroundThread.await(worker.submitAlone(() -> statistics.observe(observations, share)));
      return;
    }
    List<Observation> copies = observations.stream().map(Copies::of).toList();
    worker.submit(() -> statistics.observe(copies, share));
  }

  @Override
  public void reweigh(double factor) {
    worker.throwFailure();
    if (bound == 0) {
      BackgroundThread.await(worker.submitAlone(() -> statistics.reweigh(factor)));
      return;
    }
    worker.submit(() -> statistics.reweigh(factor));
  }

  /**
   * Asks for new inverses.
   *
   * @return reports of the inverses that took effect in this call; empty if none did
   */
  @Override
  public List<LayerReport> refresh() {
    worker.throwFailure();
    publications.ask(
        step(),
        worker.call(
            () -> {
              List<LayerReport> reports = statistics.refresh();
              return new Publications.Content(reports, statistics.toTensors());
            }));
    adopt();
    return adopted;
  }

  /** Applies the inverses that are due. */
  private void adopt() {
    publications.use(
        step(),
        content -> {
          steps.adopt(content.state());
          adopted = content.reports();
        });
  }

  @Override
  public StepReport precondition(List<LayerGradient> gradients) {
    StepReport report = preview(gradients);
    steps.endStep();
    publications.endStep();
    worker.submit(statistics::endStep);
    adopted = List.of();
    return report;
  }

  @Override
  public StepReport preview(List<LayerGradient> gradients) {
    worker.throwFailure();
    adopt();
    StepReport report = steps.preview(gradients);
    return report.withRefreshed(adopted);
  }

  /** {@inheritDoc} Waits for the worker, and forgets its failure. */
  @Override
  public void discardStep() {
    worker.finish(statistics::discardStep);
    steps.discardStep();
    publications.discard(step());
    adopted = List.of();
  }

  /** The lag of the inverses in use, in steps. */
  public long lag() {
    return publications.lag();
  }

  /** The largest lag so far; at most the bound. */
  public long largestLag() {
    return publications.largestLag();
  }

  /** How often a step had to wait because the bound was reached. */
  public long waits() {
    return publications.waits();
  }

  /**
   * {@inheritDoc} Waits for the worker. A run that resumes from them continues with the newest
   * inverses, without lag.
   */
  @Override
  public Map<String, StoredTensor> toTensors() {
    return BackgroundThread.await(worker.call(statistics::toTensors));
  }

  @Override
  public void restore(Map<String, StoredTensor> tensors) {
    BackgroundThread.await(worker.submitAlone(() -> statistics.restore(tensors)));
    steps.restore(tensors); // fits here if it fitted there
    publications.replaced();
    adopted = List.of();
  }

  @Override
  public void close() {
    worker.close();
    statistics.close();
    steps.close();
  }
}
