package io.github.kfac4j.distributed.ranks;

import io.github.kfac4j.BatchStatistics;
import io.github.kfac4j.data.LayerStatistics;
import io.github.kfac4j.data.LayerStatistics.Moment;
import io.github.kfac4j.distributed.collectives.Collectives;
import io.github.kfac4j.distributed.collectives.Precision;
import io.github.kfac4j.distributed.exchange.Agreement;
import io.github.kfac4j.distributed.exchange.Exchange;
import io.github.kfac4j.distributed.exchange.Frames;
import io.github.kfac4j.distributed.sharing.Assignment;
import io.github.kfac4j.layer.Layer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Brings each layer's statistics of all shards together at its owner; symmetric ones packed. */
final class StatisticsReduction {
  /** Largest elements between these leave fp32 room for smaller ones, and for sums. */
  private static final double SMALLEST = 1e-30;

  private static final double LARGEST = 1e30;

  private final Collectives collectives;
  private final Map<String, Layer> layers;
  private final Assignment assignment;
  private final Exchange exchange;
  private final Agreement agreement;
  private boolean anySeen;

  /** What a rank saw of each layer: {@code [examples, positions]}. */
  private record Seen(double[] examples, int[] positions) {}

  StatisticsReduction(
      Collectives collectives,
      Map<String, Layer> layers,
      Assignment assignment,
      Precision precision,
      Agreement agreement) {
    this.collectives = collectives;
    this.layers = layers;
    this.assignment = assignment;
    this.exchange = new Exchange(collectives, precision);
    this.agreement = agreement;
  }

  /**
   * Sums statistics over all ranks.
   *
   * @param local of this rank's shard
   * @param failure that kept this rank from making them, or null
   * @param early sums of A, if they are on their way already
   * @return those of the whole batch, of the layers that this rank owns and some rank has seen
   */
  Map<String, LayerStatistics> sum(
      BatchStatistics local, RuntimeException failure, EarlyInputs early) {
    Map<String, LayerStatistics> mine = new LinkedHashMap<>();
    layers.keySet().forEach(layer -> mine.put(layer, local.of(layer)));
    RuntimeException unfit = failure == null ? unfit(mine) : failure;
    List<Seen> seen = agreement.agree(unfit, message(mine)).stream().map(this::seen).toList();
    double[] totals = new double[layers.size()];
    int[] positions = new int[layers.size()];
    for (Seen one : seen) {
      for (int i = 0; i < totals.length; i++) {
        totals[i] += one.examples[i];
        positions[i] = one.examples[i] > 0 ? one.positions[i] : positions[i];
      }
    }
    List<String> sentBefore = early.started() ? local.earlyLayers() : List.of();
    List<MomentBlock> parts = new ArrayList<>();
    int i = 0;
    for (String layer : layers.keySet()) {
      if (totals[i] > 0) {
        anySeen = true;
        LayerStatistics shard = mine.get(layer);
        for (Moment moment : shard.moments()) {
          if (moment.ofGradients() || !sentBefore.contains(layer)) {
            double weight = local.weight(moment, shard, totals[i]);
            parts.add(MomentBlock.of(layer, assignment.owner(layer), moment, weight));
          }
        }
      }
      i++;
    }
    exchange.sum(parts.stream().map(MomentBlock::block).toList()).await();
    return collect(parts, early.take(), totals, positions);
  }

  /** What is beyond the range of fp32, in which statistics travel; null if nothing is. */
  private static RuntimeException unfit(Map<String, LayerStatistics> mine) {
    for (Map.Entry<String, LayerStatistics> layer : mine.entrySet()) {
      for (Moment moment : layer.getValue().moments()) {
        double largest = Arrays.stream(moment.elements()).map(Math::abs).max().orElse(0);
        if (largest > 0 && !(largest >= SMALLEST && largest <= LARGEST)) {
          return new IllegalArgumentException(
              "layer '%s': %s of the batch is up to %s, but ranks exchange statistics from %s to %s: scale the input or the loss"
                  .formatted(layer.getKey(), moment.name(), largest, SMALLEST, LARGEST));
        }
      }
    }
    return null;
  }

  /** Whether any rank has ever seen anything. */
  boolean seen() {
    return anySeen;
  }

  private static byte[] message(Map<String, LayerStatistics> mine) {
    return Frames.bytes(
        out -> {
          for (LayerStatistics one : mine.values()) {
            out.writeDouble(one.examples());
            out.writeInt(one.positions());
          }
        });
  }

  private Seen seen(byte[] message) {
    return Frames.read(
        message,
        in -> {
          Seen seen = new Seen(new double[layers.size()], new int[layers.size()]);
          for (int i = 0; i < layers.size(); i++) {
            seen.examples[i] = in.readDouble();
            seen.positions[i] = in.readInt();
          }
          return seen;
        });
  }

  /** The moments of the layers that this rank owns; those sent early are sums over examples. */
  private Map<String, LayerStatistics> collect(
      List<MomentBlock> parts, Map<String, List<Moment>> early, double[] totals, int[] positions) {
    List<String> order = List.copyOf(layers.keySet());
    Map<String, List<Moment>> moments = new LinkedHashMap<>();
    for (MomentBlock part : parts) {
      if (part.block().owner() == collectives.rank()) {
        double total = totals[order.indexOf(part.layer())];
        moments
            .computeIfAbsent(part.layer(), layer -> means(early.get(layer), total))
            .add(part.sum());
      }
    }
    Map<String, LayerStatistics> sums = new LinkedHashMap<>();
    moments.forEach(
        (layer, all) -> {
          int i = order.indexOf(layer);
          sums.put(layer, new LayerStatistics(totals[i], positions[i], all));
        });
    return sums;
  }

  private static List<Moment> means(List<Moment> sums, double examples) {
    List<Moment> means = new ArrayList<>();
    if (sums != null) {
      for (Moment sum : sums) {
        means.add(sum.with(Arrays.stream(sum.elements()).map(x -> x / examples).toArray()));
      }
    }
    return means;
  }
}
