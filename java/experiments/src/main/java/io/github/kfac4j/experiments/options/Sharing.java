package io.github.kfac4j.experiments.options;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.distributed.DistributedKfac;
import io.github.kfac4j.distributed.collectives.Collectives;
import io.github.kfac4j.distributed.collectives.Precision;
import io.github.kfac4j.distributed.sharing.Assignment;
import io.github.kfac4j.distributed.sharing.LayerCost;
import io.github.kfac4j.experiments.AssignmentRule;
import io.github.kfac4j.experiments.BadInputException;
import io.github.kfac4j.layer.Layer;
import io.github.kfac4j.options.KfacOptions;
import java.util.Map;

/**
 * How several ranks share K-FAC, as {@code --kfac} says; without meaning for a single process.
 *
 * @param assignment of layers to ranks
 * @param workers the part of the ranks that precondition each layer
 * @param payload in which numbers travel
 */
public record Sharing(AssignmentRule assignment, double workers, Precision payload) {
  /**
   * What is said, each of which may be null.
   *
   * @throws IllegalArgumentException naming the setting that is bad
   */
  static Sharing of(AssignmentRule assignment, Double workerPart, Precision payload) {
    double workers = workerPart == null ? 0 : workerPart;
    if (!(workers >= 0 && workers <= 1)) {
      throw new IllegalArgumentException(
          "workers must be a part of the ranks, from 0 for one rank to 1 for all, but is "
              + workers);
    }
    return new Sharing(
        assignment == null ? AssignmentRule.BALANCED : assignment,
        workers,
        payload == null ? Precision.FP32 : payload);
  }

  /**
   * Checks that a run can be shared by several ranks.
   *
   * @throws BadInputException naming the setting that cannot, and why
   */
  static void require(RunOptions options) {
    KfacArguments given = options.hyperparameters().kfac().values();
    String measured = "it measures the loss on the whole batch, of which a rank has a part";
    refuse(
        given.refreshes().stale(),
        "stale",
        "layers find intervals of their own, on which ranks would have to agree");
    refuse(given.damping().lm(), "lm", measured);
    refuse(given.rule().quadratic(), "quadratic", measured);
    refuse(
        given.rule().momentumFirst(),
        "momentum-first",
        "the velocity would be that of one rank's part of the batch");
    if (options.optimizers().contains(OptimizerName.EKFAC)) {
      throw new BadInputException(
          "--optimizer ekfac is for a single process: its moments are measured in the eigenbasis,"
              + " which only the rank that owns a layer has");
    }
  }

  private static void refuse(Object value, String key, String why) {
    if (value != null) {
      throw new BadInputException("--kfac: %s is for a single process: %s".formatted(key, why));
    }
  }

  /** K-FAC of this rank. */
  public DistributedKfac kfac(
      Collectives ranks, Backend backend, Map<String, Layer> layers, KfacOptions options) {
    Assignment shared =
        assignment.assign(LayerCost.cubic(layers), ranks.size()).withWorkerFraction(workers);
    return new DistributedKfac(ranks, backend, layers, options, shared, payload);
  }
}
