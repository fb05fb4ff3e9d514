package io.github.kfac4j.distributed.asynchronous;

import io.github.kfac4j.KfacPreconditioner;
import io.github.kfac4j.KfacState;
import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.data.LayerGradient;
import io.github.kfac4j.data.LayerReport;
import io.github.kfac4j.data.Observation;
import io.github.kfac4j.data.Share;
import io.github.kfac4j.data.StepReport;
import io.github.kfac4j.distributed.DistributedKfac;
import io.github.kfac4j.distributed.asynchronous.AsynchronousPlan.Role;
import io.github.kfac4j.distributed.collectives.Buffers;
import io.github.kfac4j.distributed.collectives.Collectives;
import io.github.kfac4j.distributed.collectives.Precision;
import io.github.kfac4j.distributed.exchange.Agreement;
import io.github.kfac4j.distributed.exchange.FirstFailure;
import io.github.kfac4j.distributed.ranks.RankLayers;
import io.github.kfac4j.distributed.ranks.SharedPreconditioning;
import io.github.kfac4j.distributed.ranks.TensorExchange;
import io.github.kfac4j.distributed.sharing.Means;
import io.github.kfac4j.layer.Layer;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.safetensors.StoredTensor;
import io.github.kfac4j.tensor.HostTensor;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * A gradient worker of {@link AsynchronousPlan}: steps as {@link DistributedKfac} does, with the
 * newest inverses that have been published. It makes no statistics; a step waits only for the first
 * inverses, and when the bound on staleness is reached.
 *
 * <pre>{@code
 * worker.startStep(weights);           // others make statistics of them
 * ... forward and backward pass
 * worker.precondition(gradients);      // with inverses at most bound steps old
 * }</pre>
 *
 * <p>With {@link Clock#LOGICAL} a step uses the inverses that were asked for exactly the bound
 * before, so that all ranks have the same bits in every run; with bound 0 they are those of {@link
 * DistributedKfac} on as many ranks, if the statistics workers have the same shards and the engine
 * sums in the order of the ranks (MPI promises that of no more than two). With {@link Clock#WALL}
 * inverses are used once all gradient workers have them.
 */
public final class GradientWorker implements KfacPreconditioner {
  private final RoleGroups groups;
  private final SharedPreconditioning preconditioning;
  private final RankLayers noLayers;
  private final Agreement agreement;
  private final Publications publications;
  private final BackgroundThread outgoing = new BackgroundThread();
  private final BackgroundThread incoming = new BackgroundThread();
  private List<LayerReport> adopted = List.of();
  private long started = -1;
  private boolean closed;

  /**
   * Joins the other ranks; called by all, each with the class of its role.
   *
   * @param all the ranks of the plan; stays the caller's to close, after this
   * @param backend preconditions; likewise
   * @param layers of the whole network by name, in the same order on all ranks
   * @param options the same on all ranks
   * @param precision in which statistics and gradients travel
   * @throws IllegalStateException on all ranks, if they do not agree
   * @throws IllegalArgumentException on all ranks, if one has the class of another role, or a
   *     setting is not supported
   */
  public GradientWorker(
      Collectives all,
      AsynchronousPlan plan,
      Backend backend,
      Map<String, ? extends Layer> layers,
      KfacOptions options,
      Precision precision) {
    groups = RoleGroups.join(all, plan, Role.GRADIENTS, layers, options, precision);
    preconditioning = new SharedPreconditioning(groups.gradients(), backend, options, precision);
    noLayers = new RankLayers(groups.publications(), backend, options);
    agreement = RoleGroups.agreeOnInverses(groups, plan);
    Collectives team = groups.gradients().collectives();
    publications =
        new Publications(
            plan.bound(), plan.clock(), here -> Means.sum(team, here ? 1 : 0)[0] == team.size());
  }

  /** As {@link DistributedKfac#setExamples}. */
  public void setExamples(int count) {
    preconditioning.setExamples(count);
  }

  @Override
  public KfacOptions options() {
    return preconditioning.options();
  }

  /**
   * {@inheritDoc} All gradient workers make the same change: of damping, learning rate or clip. The
   * inverse workers follow.
   */
  @Override
  public void reconfigure(KfacOptions changed) {
    if (!open(changed).equals(open(options()))) {
      throw new IllegalArgumentException(
          "only damping, learning rate and KL clip can change while other ranks make statistics"
              + " and inverses");
    }
    preconditioning.reconfigure(changed);
  }

  /** Without what may change. */
  private static KfacOptions open(KfacOptions options) {
    return options.withDamping(1).withLearningRate(1).withoutKlClip();
  }

  @Override
  public long step() {
    return preconditioning.step();
  }

  /** {@inheritDoc} Never: the statistics workers observe. */
  @Override
  public boolean wantsObservations() {
    return false;
  }

  /** {@inheritDoc} Never: {@link #startStep} asks the inverse workers. */
  @Override
  public boolean wantsRefresh() {
    return false;
  }

  /**
   * Begins a step: hands the weights to the statistics workers and asks for new inverses, if this
   * is a step for that. Called by all gradient workers, which have the same weights. Asks once a
   * step, however often it is called.
   *
   * @param weights by layer; are copied
   */
  public void startStep(Map<String, List<HostTensor>> weights) {
    outgoing.throwFailure();
    if (started == step()) {
      return;
    }
    started = step();
    boolean statistics = options().intervals().wantsFactors(step());
    boolean refresh = options().intervals().wantsInverses(step());
    if (groups.gradients().rank() == 0 && (statistics || refresh)) {
      ByteBuffer copy = statistics ? Weights.encode(weights) : Buffers.bytes(0);
      WorkRequest request =
          new WorkRequest(
              WorkRequest.Kind.STEP,
              step(),
              statistics,
              refresh,
              options().damping(),
              copy.remaining());
      outgoing.submit(
          () -> {
            request.send(groups.weights());
            if (statistics) {
              groups.weights().broadcast(copy, 0).await();
            }
          });
    }
    if (refresh) {
      long clock = step();
      publications.ask(
          clock,
          incoming.call(
              () ->
                  Publications.exchange(
                      groups.publications(), noLayers, new FirstFailure(), agreement, clock)));
    }
  }

  @Override
  public void reweigh(double factor) {
    throw new IllegalStateException("gradient workers observe nothing; statistics workers do");
  }

  /** Not for gradient workers. */
  @Override
  public void observe(List<Observation> observations, Share share) {
    throw new IllegalStateException("gradient workers observe nothing; statistics workers do");
  }

  /** Nothing to do: {@link #startStep} has asked. */
  @Override
  public List<LayerReport> refresh() {
    return List.of();
  }

  @Override
  public StepReport precondition(List<LayerGradient> gradients) {
    StepReport report = preview(gradients);
    preconditioning.endStep();
    publications.endStep();
    adopted = List.of();
    return report;
  }

  @Override
  public StepReport preview(List<LayerGradient> gradients) {
    outgoing.throwFailure();
    publications.use(
        step(),
        content -> {
          preconditioning.layers().adopt(content.state());
          adopted = content.reports();
        });
    return preconditioning.toAll(gradients, null, adopted);
  }

  /**
   * {@inheritDoc} Gradient workers remember nothing of a batch, and what was asked for by {@link
   * #startStep} is made of other batches and stays good: the step can be taken with another batch.
   */
  @Override
  public void discardStep() {}

  /** The lag of the inverses in use, in preconditioning. */
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

  private void tell(WorkRequest.Kind kind) {
    WorkRequest request = WorkRequest.of(kind, step());
    if (groups.gradients().rank() == 0) {
      outgoing.submit(() -> request.send(groups.weights()));
    }
  }

  /**
   * {@inheritDoc} Called by all gradient workers; waits for the inverse workers. A run that resumes
   * from it continues with the newest inverses, without lag.
   */
  @Override
  public Map<String, StoredTensor> toTensors() {
    tell(WorkRequest.Kind.SAVE);
    long step = step();
    return BackgroundThread.await(incoming.call(() -> noLayers.toTensors(step)));
  }

  /** {@inheritDoc} Called by all gradient workers with the whole state. */
  @Override
  public void restore(Map<String, StoredTensor> tensors) {
    tell(WorkRequest.Kind.RESTORE);
    List<Runnable> change = new ArrayList<>();
    FirstFailure failure = new FirstFailure();
    failure.keep(() -> change.add(preconditioning.layers().prepareRestore(tensors)));
    BackgroundThread.await(
        incoming.submitAlone(
            () -> {
              new TensorExchange(groups.publications().collectives()).broadcast(tensors, 0);
              agreement.agree(failure.take(), new byte[0]);
            }));
    change.forEach(Runnable::run);
    preconditioning.resumeAt(KfacState.stepOf(tensors));
    publications.replaced();
    started = -1;
    adopted = List.of();
  }

  /** Ends the work of all ranks; idempotent. */
  @Override
  public void close() {
    if (!closed) {
      closed = true;
      tell(WorkRequest.Kind.END);
      outgoing.close();
      incoming.close();
      preconditioning.close();
      noLayers.close();
      groups.close();
    }
  }
}
