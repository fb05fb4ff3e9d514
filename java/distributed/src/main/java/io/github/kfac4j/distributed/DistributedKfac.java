package io.github.kfac4j.distributed;

import io.github.kfac4j.KfacPreconditioner;
import io.github.kfac4j.KfacState;
import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.data.LayerGradient;
import io.github.kfac4j.data.LayerReport;
import io.github.kfac4j.data.LayerStatistics;
import io.github.kfac4j.data.Observation;
import io.github.kfac4j.data.Share;
import io.github.kfac4j.data.StepReport;
import io.github.kfac4j.distributed.collectives.Collectives;
import io.github.kfac4j.distributed.collectives.Precision;
import io.github.kfac4j.distributed.exchange.Agreement;
import io.github.kfac4j.distributed.exchange.FirstFailure;
import io.github.kfac4j.distributed.ranks.Refresh;
import io.github.kfac4j.distributed.ranks.ShardStatistics;
import io.github.kfac4j.distributed.ranks.SharedLayers;
import io.github.kfac4j.distributed.ranks.SharedPreconditioning;
import io.github.kfac4j.distributed.sharing.Assignment;
import io.github.kfac4j.distributed.sharing.LayerCost;
import io.github.kfac4j.layer.Layer;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.safetensors.StoredTensor;
import io.github.kfac4j.tensor.HostTensor;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * K-FAC whose ranks share a batch and divide the layers among them (Osawa et al. 2019): every rank
 * has the whole network and a shard of the batch, and each layer has one owner.
 *
 * <pre>
 * 1 observe       A and G of the shard                         every rank
 *   (observeInputs, if called, sums A while the backward pass runs)
 * 2 (observe,     sums over ranks go to the owner of the layer reduce-scatter
 *    refresh)
 * 3 refresh       running averages, damped inverses            owner
 * 4 precondition  sums of the gradients go to the owners       reduce-scatter
 * 5               G^-1 dW A^-1                                 owner
 * 6               preconditioned gradients go to all           all-gather
 * </pre>
 *
 * <p>What comes out of {@link #precondition} has the same bits on all ranks and, to rounding, the
 * values of {@link Kfac} on the union of the shards. All ranks call the same verbs in the same
 * order with the same layers; a rank with an empty shard observes nothing, or an empty list, and
 * gives gradients of any content. Gradients are means over the shard. What is wrong on one rank is
 * thrown by the next refresh or precondition on all of them, in the same words, and names the rank.
 *
 * <p>With more than one worker a layer, inverses go from the owner to the other workers at each
 * refresh and sums of gradients at each step, and each worker preconditions for its row. They have
 * the same bits if they compute alike: on machines and backends of one kind.
 *
 * <p>Running averages and inverses are only on the owner and the other workers. Adaptive intervals
 * and the approximation EKFAC are for single processes.
 */
public final class DistributedKfac implements KfacPreconditioner {
  private final SharedLayers shared;
  private final Agreement agreement;
  private final ShardStatistics statistics;
  private final SharedPreconditioning preconditioning;
  private final FirstFailure failure = new FirstFailure();
  private List<LayerReport> lastRefresh = List.of();

  /**
   * Joins the other ranks; called by all.
   *
   * @param collectives of this rank; stays the caller's to close, after this
   * @param backend of this rank; likewise
   * @param layers of the whole network by name, in the same order on all ranks
   * @param options the same on all ranks
   * @param assignment of these layers to as many ranks
   * @param precision in which statistics and gradients travel
   * @throws IllegalStateException on all ranks, if they do not agree on version, layers or settings
   * @throws IllegalArgumentException if there is no layer, or a setting is for single processes
   */
  public DistributedKfac(
      Collectives collectives,
      Backend backend,
      Map<String, ? extends Layer> layers,
      KfacOptions options,
      Assignment assignment,
      Precision precision) {
    Map<String, Layer> all = Collections.unmodifiableMap(new LinkedHashMap<>(layers));
    this.shared = new SharedLayers(collectives, all, assignment);
    shared.check(SharedLayers.version(), options, precision);
    this.agreement = new Agreement(collectives);
    this.statistics = new ShardStatistics(shared, backend, options, precision, agreement);
    this.preconditioning = new SharedPreconditioning(shared, backend, options, precision);
  }

  /** With the balanced assignment of cubic costs, in fp32. */
  public static DistributedKfac of(
      Collectives collectives,
      Backend backend,
      Map<String, ? extends Layer> layers,
      KfacOptions options) {
    Assignment assignment = Assignment.balanced(LayerCost.cubic(layers), collectives.size());
    return new DistributedKfac(collectives, backend, layers, options, assignment, Precision.FP32);
  }

  /**
   * Sets how many examples this rank's shard of the next batches has, 0 for none. Until it is
   * called all shards count the same.
   */
  public void setExamples(int count) {
    preconditioning.setExamples(count);
  }

  /** Which rank has which layer. */
  public Assignment assignment() {
    return shared.assignment();
  }

  @Override
  public KfacOptions options() {
    return preconditioning.options();
  }

  /** {@inheritDoc} All ranks make the same change. */
  @Override
  public void reconfigure(KfacOptions changed) {
    preconditioning.reconfigure(changed);
  }

  @Override
  public long step() {
    return preconditioning.step();
  }

  @Override
  public boolean wantsObservations() {
    return options().intervals().wantsFactors(step());
  }

  @Override
  public boolean wantsRefresh() {
    return options().intervals().wantsInverses(step());
  }

  /**
   * Takes this rank's shard of a batch into the statistics; see {@link
   * KfacPreconditioner#observe(List, Share)}. What is wrong is thrown by the next refresh or
   * precondition, on all ranks.
   */
  @Override
  public void observe(List<Observation> observations, Share share) {
    failure.keep(() -> statistics.observe(observations, share));
  }

  /** {@inheritDoc} Each rank weighs the micro-batches of its own shard. */
  @Override
  public void reweigh(double factor) {
    failure.keep(() -> statistics.reweigh(factor));
  }

  /**
   * Makes A of the inputs and starts to sum it over the ranks, while the backward pass runs. Called
   * by all ranks in the same steps or by none; with an empty list by a rank with an empty shard.
   */
  @Override
  public void observeInputs(List<Observation> inputs, Share share) {
    statistics.observeInputs(inputs, share, failure);
  }

  /** Sums what was observed in this step, once. */
  private void sumStatistics() {
    if (!statistics.summed()) {
      Map<String, LayerStatistics> sums = statistics.sum(failure.take());
      if (statistics.seen()) {
        failure.keep(() -> preconditioning.layers().observe(sums));
      }
    }
  }

  @Override
  public List<LayerReport> refresh() {
    sumStatistics();
    lastRefresh = Refresh.of(shared, preconditioning.layers(), failure, agreement);
    preconditioning.layers().copyInverses();
    return lastRefresh;
  }

  @Override
  public StepReport precondition(List<LayerGradient> gradients) {
    StepReport report = preview(gradients);
    endStep();
    return report;
  }

  @Override
  public StepReport preview(List<LayerGradient> gradients) {
    sumIfWanted();
    return preconditioning.toAll(gradients, failure.take(), lastRefresh);
  }

  /**
   * Does what {@link #precondition} does, but only for the layers that this rank {@linkplain
   * #assignment() owns}; other gradients stay as they are. For trainers that update the weights of
   * a layer at its owner, with momentum there alone, and then {@link #gatherWeights}.
   */
  public StepReport preconditionOwned(List<LayerGradient> gradients) {
    sumIfWanted();
    StepReport report = preconditioning.toOwners(gradients, failure.take(), lastRefresh);
    endStep();
    return report;
  }

  private void sumIfWanted() {
    if (wantsObservations()) {
      sumStatistics();
    }
  }

  /**
   * Copies weights from the owners of their layers to all ranks, in place and in fp32; called by
   * all.
   *
   * @param weights by layer, in the same order on all ranks
   * @throws IllegalArgumentException naming a layer that is unknown, or whose weights are in a
   *     read-only buffer or share memory with others
   */
  public void gatherWeights(Map<String, List<HostTensor>> weights) {
    preconditioning.gatherWeights(weights);
  }

  private void endStep() {
    preconditioning.endStep();
    statistics.reset();
    lastRefresh = List.of();
  }

  /**
   * {@inheritDoc} Called by all ranks: a rank that is in another verb gets an {@link
   * IllegalStateException} there, and the others wait until it drops the step as well. Ranks that
   * call {@link #observeInputs} have all called it as often.
   */
  @Override
  public void discardStep() {
    failure.take();
    agreement.drop();
    statistics.discard();
    preconditioning.discardStep();
    lastRefresh = List.of();
  }

  /** {@inheritDoc} Called by all ranks; all get the whole state, as a single process has it. */
  @Override
  public Map<String, StoredTensor> toTensors() {
    return preconditioning.layers().toTensors(step());
  }

  /** {@inheritDoc} Called by all ranks with the whole state; drops the step that is under way. */
  @Override
  public void restore(Map<String, StoredTensor> tensors) {
    failure.take();
    List<Runnable> change = new ArrayList<>();
    failure.keep(() -> change.add(preconditioning.layers().prepareRestore(tensors)));
    agreement.agree(failure.take(), new byte[0]);
    change.forEach(Runnable::run);
    preconditioning.resumeAt(KfacState.stepOf(tensors));
    statistics.discard();
    lastRefresh = List.of();
  }

  @Override
  public void close() {
    statistics.close();
    preconditioning.close();
  }
}
