package io.github.kfac4j.distributed.asynchronous;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.data.Observation;
import io.github.kfac4j.data.Share;
import io.github.kfac4j.distributed.asynchronous.AsynchronousPlan.Role;
import io.github.kfac4j.distributed.collectives.Buffers;
import io.github.kfac4j.distributed.collectives.Collectives;
import io.github.kfac4j.distributed.collectives.Precision;
import io.github.kfac4j.distributed.exchange.FirstFailure;
import io.github.kfac4j.distributed.ranks.ShardStatistics;
import io.github.kfac4j.layer.Layer;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.tensor.HostTensor;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;

/**
 * A statistics worker of {@link AsynchronousPlan}: takes the newest weights, runs forward and
 * backward passes of its own on its part of a batch, and hands the factors to the inverse workers.
 *
 * <pre>{@code
 * while ((step = worker.awaitWeights(weights)).isPresent()) {
 *   ... forward and backward pass
 *   worker.observe(observations, Share.ALL);
 *   worker.publish();
 * }
 * }</pre>
 */
public final class StatisticsWorker implements AutoCloseable {
  private final RoleGroups groups;
  private final ShardStatistics statistics;
  private final FirstFailure failure = new FirstFailure();

  /**
   * Joins the other ranks; called by all, each with the class of its role.
   *
   * @param all the ranks of the plan; stays the caller's to close, after this
   * @param backend makes the statistics; likewise
   * @param layers of the whole network by name, in the same order on all ranks
   * @param options the same on all ranks
   * @param precision in which statistics travel
   * @throws IllegalStateException on all ranks, if they do not agree
   * @throws IllegalArgumentException on all ranks, if one has the class of another role, or a
   *     setting is not supported
   */
  public StatisticsWorker(
      Collectives all,
      AsynchronousPlan plan,
      Backend backend,
      Map<String, ? extends Layer> layers,
      KfacOptions options,
      Precision precision) {
    groups = RoleGroups.join(all, plan, Role.STATISTICS, layers, options, precision);
    statistics =
        new ShardStatistics(
            groups.statistics(),
            backend,
            options,
            precision,
            RoleGroups.agreeOnStatistics(groups, plan));
  }

  /**
   * Waits for the weights of the next step that wants statistics.
   *
   * @param weights by layer, are overwritten; in the order and precision of the gradient workers
   * @return the step, or nothing if the gradient workers have ended
   * @throws IllegalArgumentException if the weights are not those of the gradient workers
   */
  public OptionalLong awaitWeights(Map<String, List<HostTensor>> weights) {
    while (true) {
      WorkRequest request = WorkRequest.receive(groups.weights());
      if (groups.statistics().rank() == 0) {
        request.send(groups.statistics().collectives());
      } else {
        WorkRequest.receive(groups.statistics().collectives());
      }
      if (request.kind() == WorkRequest.Kind.END) {
        return OptionalLong.empty();
      }
      if (request.statistics()) {
        ByteBuffer bytes = Buffers.bytes(request.weightBytes());
        groups.weights().broadcast(bytes, 0).await();
        Buffers.require(
            Weights.size(weights) == bytes.remaining(),
            "weights of the gradient workers",
            "bytes here",
            Weights.size(weights),
            bytes.remaining());
        Weights.decode(bytes, weights);
        return OptionalLong.of(request.clock());
      }
    }
  }

  /**
   * Takes what the layers saw into the statistics; the shares of a step add to 1, and a rank with
   * an empty part observes nothing. What is wrong is thrown where the next inverses are put to use,
   * by all gradient workers.
   */
  public void observe(List<Observation> observations, Share share) {
    failure.keep(() -> statistics.observe(observations, share));
  }

  /** Drops what was observed since the weights came; another batch can be observed for them. */
  public void discardStep() {
    failure.take();
    statistics.discard();
  }

  /** Sums what was observed with the other statistics workers' and hands it on. */
  public void publish() {
    try {
      statistics.sum(failure.take());
    } catch (RuntimeException told) {
      // the inverse workers know it too, and tell the gradient workers; if it is the engine, the
      // next operation fails as well
      failure.take();
    }
    statistics.reset();
  }

  @Override
  public void close() {
    statistics.close();
    groups.close();
  }
}
