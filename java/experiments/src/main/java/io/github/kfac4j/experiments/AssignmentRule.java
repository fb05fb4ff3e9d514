package io.github.kfac4j.experiments;

import io.github.kfac4j.distributed.sharing.Assignment;
import io.github.kfac4j.distributed.sharing.LayerCost;
import java.util.List;
import java.util.Locale;

/** The ways to assign layers to ranks, with the names on the command line. */
public enum AssignmentRule {
  /** Runs of consecutive layers, as Osawa et al. have them. */
  CONTIGUOUS,
  /** One layer to each rank in turn. */
  ROUND_ROBIN,
  /** Balanced by the cost of layers. */
  BALANCED;

  /** The assignment of layers to a number of ranks. */
  public Assignment assign(List<LayerCost> costs, int ranks) {
    return switch (this) {
      case BALANCED -> Assignment.balanced(costs, ranks);
      case CONTIGUOUS -> Assignment.contiguous(costs, ranks);
      case ROUND_ROBIN -> Assignment.roundRobin(costs, ranks);
    };
  }

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
