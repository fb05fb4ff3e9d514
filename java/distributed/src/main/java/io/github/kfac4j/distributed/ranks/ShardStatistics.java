package io.github.kfac4j.distributed.ranks;

import io.github.kfac4j.BatchStatistics;
import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.data.LayerStatistics;
import io.github.kfac4j.data.Observation;
import io.github.kfac4j.data.Share;
import io.github.kfac4j.distributed.collectives.Precision;
import io.github.kfac4j.distributed.exchange.Agreement;
import io.github.kfac4j.distributed.exchange.FirstFailure;
import io.github.kfac4j.options.KfacOptions;
import java.util.List;
import java.util.Map;

/** The statistics of this rank's shard, and how they travel to the owners of the layers. */
public final class ShardStatistics implements AutoCloseable {
  private final BatchStatistics shard;
  private final EarlyInputs early;
  private final StatisticsReduction exchange;
  private boolean summed;

  public ShardStatistics(
      SharedLayers shared,
      Backend backend,
      KfacOptions options,
      Precision precision,
      Agreement agreement) {
    this.shard = new BatchStatistics(backend, shared.layers(), options);
    this.early = new EarlyInputs(shared, precision);
    this.exchange =
        new StatisticsReduction(
            shared.collectives(), shared.layers(), shared.assignment(), precision, agreement);
  }

  public void observe(List<Observation> observations, Share share) {
    shard.observe(observations, share);
  }

  /** Multiplies the share of what this rank has observed. */
  public void reweigh(double factor) {
    shard.reweigh(factor);
    early.reweigh(factor);
  }

  /** Computes A and starts to sum it; a failure is kept for later. */
  public void observeInputs(List<Observation> inputs, Share share, FirstFailure failure) {
    failure.keep(() -> shard.observeInputs(inputs, share));
    early.observed(shard, share.fraction());
  }

  /** Whether the statistics of this step have been summed. */
  public boolean summed() {
    return summed;
  }

  /**
   * Sums over all ranks what was observed.
   *
   * @param failure that kept this rank from observing, or null
   * @return the statistics of the layers that this rank owns
   */
  public Map<String, LayerStatistics> sum(RuntimeException failure) {
    try {
      Map<String, LayerStatistics> sums = exchange.sum(shard, failure, early);
      summed = true;
      return sums;
    } finally {
      early.take();
      shard.reset();
    }
  }

  /** Whether any rank has observed anything, in this step or before. */
  public boolean seen() {
    return exchange.seen();
  }

  /** Drops what was observed, also of sums that are on their way. */
  public void discard() {
    early.take();
    reset();
  }

  /** Begins a new step. */
  public void reset() {
    shard.reset();
    summed = false;
  }

  @Override
  public void close() {
    shard.close();
  }
}
