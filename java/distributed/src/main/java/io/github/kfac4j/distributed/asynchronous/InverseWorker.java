package io.github.kfac4j.distributed.asynchronous;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.data.LayerStatistics;
import io.github.kfac4j.distributed.asynchronous.AsynchronousPlan.Role;
import io.github.kfac4j.distributed.collectives.Collectives;
import io.github.kfac4j.distributed.collectives.Precision;
import io.github.kfac4j.distributed.exchange.Agreement;
import io.github.kfac4j.distributed.exchange.FirstFailure;
import io.github.kfac4j.distributed.ranks.RankLayers;
import io.github.kfac4j.distributed.ranks.ShardStatistics;
import io.github.kfac4j.distributed.ranks.TensorExchange;
import io.github.kfac4j.layer.Layer;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.safetensors.StoredTensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * An inverse worker of {@link AsynchronousPlan}: keeps the running averages of some layers, inverts
 * them when gradient workers ask, and publishes the inverses.
 */
public final class InverseWorker implements AutoCloseable {
  private final RoleGroups groups;
  private final ShardStatistics statistics;
  private final RankLayers mine;
  private final Agreement agreement;
  private final FirstFailure failure = new FirstFailure();
  private KfacOptions options;

  /**
   * Joins the other ranks; called by all, each with the class of its role.
   *
   * @param all the ranks of the plan; stays the caller's to close, after this
   * @param backend inverts; likewise
   * @param layers of the whole network by name, in the same order on all ranks
   * @param options the same on all ranks
   * @param precision in which statistics travel
   * @throws IllegalStateException on all ranks, if they do not agree
   * @throws IllegalArgumentException on all ranks, if one has the class of another role, or a
   *     setting is not supported
   */
  public InverseWorker(
      Collectives all,
      AsynchronousPlan plan,
      Backend backend,
      Map<String, ? extends Layer> layers,
      KfacOptions options,
      Precision precision) {
    this.options = options;
    groups = RoleGroups.join(all, plan, Role.INVERSES, layers, options, precision);
    statistics =
        new ShardStatistics(
            groups.statistics(),
            backend,
            options,
            precision,
            RoleGroups.agreeOnStatistics(groups, plan));
    mine = new RankLayers(groups.publications(), backend, options);
    agreement = RoleGroups.agreeOnInverses(groups, plan);
  }

  /** Works until the gradient workers have ended. */
  public void run() {
    while (true) {
      WorkRequest request = WorkRequest.receive(groups.statistics().collectives());
      switch (request.kind()) {
        case STEP -> step(request);
        case SAVE -> mine.toTensors(request.clock());
        case RESTORE -> restore();
        default -> {
          return;
        }
      }
    }
  }

  private void step(WorkRequest request) {
    if (options.damping() != request.damping()) {
      options = options.withDamping(request.damping());
      mine.reconfigure(options);
    }
    if (request.statistics()) {
      failure.keep(
          () -> {
            Map<String, LayerStatistics> sums = statistics.sum(null);
            if (statistics.seen()) {
              mine.observe(sums);
            }
          });
      statistics.reset();
    }
    if (request.refresh()) {
      try {
        Publications.exchange(groups.publications(), mine, failure, agreement, request.clock());
      } catch (RuntimeException told) {
        // all know it; if it is the engine, the next operation fails as well
        failure.take();
      }
    }
    mine.endStep();
  }

  private void restore() {
    Map<String, StoredTensor> state =
        new TensorExchange(groups.publications().collectives()).broadcast(Map.of(), 0);
    failure.take();
    List<Runnable> change = new ArrayList<>();
    failure.keep(() -> change.add(mine.prepareRestore(state)));
    try {
      agreement.agree(failure.take(), new byte[0]);
      change.forEach(Runnable::run);
    } catch (RuntimeException told) {
      statistics.reset(); // the state is as it was
    }
  }

  @Override
  public void close() {
    statistics.close();
    mine.close();
    groups.close();
  }
}
