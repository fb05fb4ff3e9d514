package io.github.kfac4j.distributed.ranks;

import io.github.kfac4j.BatchStatistics;
import io.github.kfac4j.data.LayerStatistics;
import io.github.kfac4j.data.LayerStatistics.Moment;
import io.github.kfac4j.distributed.collectives.Pending;
import io.github.kfac4j.distributed.collectives.Precision;
import io.github.kfac4j.distributed.exchange.Exchange;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The sums of the factors A, on their way while the backward pass runs. They travel as sums over
 * examples, because how many there are together is only known later.
 */
final class EarlyInputs {
  private static final double SHARE_ROUNDING = 1e-9;

  private final SharedLayers shared;
  private final Exchange exchange;
  private final List<MomentBlock> blocks = new ArrayList<>();
  private Pending pending;
  private double shares;

  EarlyInputs(SharedLayers shared, Precision precision) {
    this.shared = shared;
    this.exchange = new Exchange(shared.collectives(), precision);
  }

  /** Starts when the last micro-batch has been observed; all ranks do so in the same steps. */
  void observed(BatchStatistics shard, double share) {
    shares += share;
    if (shares < 1 - SHARE_ROUNDING) {
      return;
    }
    for (String layer : shard.earlyLayers()) {
      LayerStatistics mine = shard.ofInputs(layer);
      int owner = shared.assignment().owner(layer);
      for (Moment moment : mine.moments()) {
        blocks.add(MomentBlock.of(layer, owner, moment, mine.examples()));
      }
    }
    pending = exchange.sum(blocks.stream().map(MomentBlock::block).toList());
  }

  /** Multiplies the share of the micro-batches so far. */
  void reweigh(double factor) {
    shares *= factor;
  }

  /** Whether sums of A are on their way. */
  boolean started() {
    return pending != null;
  }

  /** Waits for the sums over examples of the layers that this rank owns, and forgets all. */
  Map<String, List<Moment>> take() {
    Map<String, List<Moment>> sums = new LinkedHashMap<>();
    if (pending != null) {
      pending.await();
      for (MomentBlock one : blocks) {
        if (one.block().owner() == shared.rank()) {
          sums.computeIfAbsent(one.layer(), layer -> new ArrayList<>()).add(one.sum());
        }
      }
    }
    blocks.clear();
    pending = null;
    shares = 0;
    return sums;
  }
}
