package io.github.kfac4j.distributed;

import io.github.kfac4j.BatchStatistics;
import io.github.kfac4j.KfacOptions;
import io.github.kfac4j.LayerStatistics;
import io.github.kfac4j.Observation;
import io.github.kfac4j.backend.Backend;
import java.util.List;
import java.util.Map;

/** The statistics of this rank's shard, and their way to the owners of the layers. */
final class ShardStatistics implements AutoCloseable {
  private final KfacOptions options;
  private final BatchStatistics shard;
  private final EarlyInputs early;
  private final StatisticsExchange exchange;
  private boolean summed;

  ShardStatistics(
      Job job, Backend backend, KfacOptions options, Precision precision, Agreement agreement) {
    this.options = options;
    this.shard = new BatchStatistics(backend, job.layers(), options);
    this.early = new EarlyInputs(job, precision);
    this.exchange =
        new StatisticsExchange(
            job.collectives(), job.layers(), job.assignment(), precision, agreement);
  }

  void observe(List<Observation> observations, double share) {
    shard.observe(observations, share);
  }

  /** Makes A and starts to sum it; what goes wrong with A is kept. */
  void observeInputs(List<Observation> inputs, double share, FirstFailure failure) {
    failure.keep(() -> shard.observeInputs(inputs, share));
    early.observed(shard, share);
  }

  /** Whether the statistics of this step have been summed. */
  boolean summed() {
    return summed;
  }

  /**
   * Sums over all ranks what was observed.
   *
   * @param failure that kept this rank from observing, or null
   * @return the statistics of the layers that this rank owns
   */
  Map<String, LayerStatistics> sum(RuntimeException failure) {
    try {
      Map<String, LayerStatistics> sums = exchange.sum(shard, options, failure, early);
      summed = true;
      return sums;
    } finally {
      early.take();
      shard.reset();
    }
  }

  /** Whether any rank has observed anything, in this step or before. */
  boolean seen() {
    return exchange.seen();
  }

  /** Drops what was observed, also of sums that are on their way. */
  void discard() {
    early.take();
    reset();
  }

  /** Begins a new step. */
  void reset() {
    shard.reset();
    summed = false;
  }

  @Override
  public void close() {
    shard.close();
  }
}
