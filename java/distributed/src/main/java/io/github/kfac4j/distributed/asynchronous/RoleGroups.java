package io.github.kfac4j.distributed.asynchronous;

import io.github.kfac4j.distributed.asynchronous.AsynchronousPlan.Role;
import io.github.kfac4j.distributed.collectives.Collectives;
import io.github.kfac4j.distributed.collectives.Precision;
import io.github.kfac4j.distributed.exchange.Agreement;
import io.github.kfac4j.distributed.exchange.FirstFailure;
import io.github.kfac4j.distributed.ranks.SharedLayers;
import io.github.kfac4j.distributed.sharing.Assignment;
import io.github.kfac4j.distributed.sharing.Handshake;
import io.github.kfac4j.distributed.sharing.LayerCost;
import io.github.kfac4j.layer.Layer;
import io.github.kfac4j.options.Approximation;
import io.github.kfac4j.options.KfacOptions;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The groups of ranks of a plan, one for each direction in which data flows, so that they do not
 * wait for one another.
 *
 * @param weights of the first gradient worker, its rank 0, and the statistics workers
 * @param gradients of the gradient workers
 * @param statistics of the statistics workers, its first ranks, and the inverse workers
 * @param publications of the gradient workers, its first ranks, and the inverse workers
 */
record RoleGroups(
    Collectives weights, SharedLayers gradients, SharedLayers statistics, SharedLayers publications)
    implements AutoCloseable {
  /**
   * Joins; called by all ranks of a plan.
   *
   * @param expected what this rank is to do
   * @throws IllegalStateException on all ranks, if they do not agree on plan, layers or settings
   * @throws IllegalArgumentException on all ranks, if one is to do something else, or a setting is
   *     not supported
   */
  static RoleGroups join(
      Collectives all,
      AsynchronousPlan plan,
      Role expected,
      Map<String, ? extends Layer> layers,
      KfacOptions options,
      Precision precision) {
    Map<String, Layer> named = Collections.unmodifiableMap(new LinkedHashMap<>(layers));
    List<LayerCost> costs = LayerCost.cubic(named);
    Assignment inverters = Assignment.balanced(costs, plan.inverses());
    Map<String, String> facts =
        new SharedLayers(all, named, inverters).facts(SharedLayers.version(), options, precision);
    facts.put("the plan", plan.toString());
    Handshake.requireSame(all, facts);
    require(
        plan.ranks() == all.size(),
        "the plan is for %d ranks, but there are %d".formatted(plan.ranks(), all.size()));
    require(
        options.intervals().similarity().isEmpty(),
        "adaptive intervals need inverses that do not lag");
    for (String layer : named.keySet()) {
      Approximation approximation = options.approximationOf(layer);
      require(
          !approximation.measuresBetweenRefreshes(),
          "layer '%s': the moments of %s are measured in a basis that statistics workers do not have"
              .formatted(layer, approximation));
    }
    Role role = plan.role(all.rank());
    FirstFailure failure = new FirstFailure();
    failure.keep(
        () ->
            require(
                role == expected,
                "the plan has this rank for %s, not for %s".formatted(role, expected)));
    new Agreement(all).agree(failure.take(), new byte[0]);
    boolean first = all.rank() == 0;
    Collectives weights = all.split(first || role == Role.STATISTICS ? 0 : 1);
    Collectives gradients = all.split(role == Role.GRADIENTS ? 0 : 1);
    Collectives statistics = all.split(role == Role.GRADIENTS ? 1 : 0);
    Collectives publications = all.split(role == Role.STATISTICS ? 1 : 0);
    return new RoleGroups(
        weights,
        new SharedLayers(gradients, named, Assignment.balanced(costs, plan.gradients())),
        new SharedLayers(statistics, named, inverters.behind(plan.statistics())),
        new SharedLayers(publications, named, inverters.behind(plan.gradients())));
  }

  /** One decision of those who make statistics. */
  static Agreement agreeOnStatistics(RoleGroups groups, AsynchronousPlan plan) {
    int first = plan.statistics();
    return new Agreement(
        groups.statistics.collectives(),
        rank -> rank < first ? "statistics worker " + rank : "inverse worker " + (rank - first));
  }

  /** One decision of those who publish inverses or use them. */
  static Agreement agreeOnInverses(RoleGroups groups, AsynchronousPlan plan) {
    int first = plan.gradients();
    return new Agreement(
        groups.publications.collectives(),
        rank -> rank < first ? "gradient worker " + rank : "inverse worker " + (rank - first));
  }

  private static void require(boolean ok, String problem) {
    if (!ok) {
      throw new IllegalArgumentException(problem);
    }
  }

  @Override
  public void close() {
    publications.collectives().close();
    statistics.collectives().close();
    gradients.collectives().close();
    weights.close();
  }
}
