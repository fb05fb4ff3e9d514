package io.github.kfac4j.distributed.ranks;

import io.github.kfac4j.BatchStatistics;
import io.github.kfac4j.data.LayerStatistics;
import io.github.kfac4j.distributed.collectives.Collectives;
import io.github.kfac4j.distributed.collectives.Precision;
import io.github.kfac4j.distributed.exchange.Agreement;
import io.github.kfac4j.distributed.exchange.Block;
import io.github.kfac4j.distributed.exchange.Conversions;
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

  /** One moment of one layer on its way; {@code packedDim} is 0 if it is not packed. */
  private record Part(String layer, String moment, int packedDim, Block block) {}

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
    List<Part> parts = new ArrayList<>();
    int i = 0;
    for (String layer : layers.keySet()) {
      if (totals[i] > 0) {
        anySeen = true;
        LayerStatistics rest = mine.get(layer);
        if (sentBefore.contains(layer)) {
          rest.moments().remove(EarlyInputs.A);
        }
        addParts(parts, layer, local, rest, totals[i]);
      }
      i++;
    }
    exchange.sum(parts.stream().map(Part::block).toList()).await();
    Map<String, LayerStatistics> sums = collect(parts, totals, positions);
    early
        .take()
        .forEach(
            (layer, a) -> {
              LayerStatistics of = sums.get(layer);
              if (of != null) {
                Arrays.setAll(a, k -> a[k] / of.examples());
                of.moments().put(EarlyInputs.A, a);
              }
            });
    return sums;
  }

  /** What is beyond the range of fp32, in which statistics travel; null if nothing is. */
  private static RuntimeException unfit(Map<String, LayerStatistics> mine) {
    for (Map.Entry<String, LayerStatistics> layer : mine.entrySet()) {
      for (Map.Entry<String, double[]> moment : layer.getValue().moments().entrySet()) {
        double largest = Arrays.stream(moment.getValue()).map(Math::abs).max().orElse(0);
        if (largest > 0 && !(largest >= SMALLEST && largest <= LARGEST)) {
          return new IllegalArgumentException(
              "layer '%s': %s of the batch is up to %s, but ranks exchange statistics from %s to %s: scale the input or the loss"
                  .formatted(layer.getKey(), moment.getKey(), largest, SMALLEST, LARGEST));
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

  private void addParts(
      List<Part> parts, String name, BatchStatistics local, LayerStatistics mine, double total) {
    mine.moments()
        .forEach(
            (moment, elements) -> {
              double weight = local.weight(name, moment, mine, total);
              int dim = local.symmetricDim(name, moment);
              float[] values =
                  dim > 0
                      ? SymmetricPacking.pack(elements, dim, weight)
                      : Conversions.toFloats(elements, weight);
              parts.add(new Part(name, moment, dim, new Block(assignment.owner(name), values)));
            });
  }

  private Map<String, LayerStatistics> collect(List<Part> parts, double[] totals, int[] positions) {
    List<String> order = List.copyOf(layers.keySet());
    Map<String, LayerStatistics> sums = new LinkedHashMap<>();
    for (Part part : parts) {
      if (part.block.owner() == collectives.rank()) {
        int i = order.indexOf(part.layer);
        float[] values = part.block.values();
        sums.computeIfAbsent(
                part.layer,
                name -> new LayerStatistics(totals[i], positions[i], new LinkedHashMap<>()))
            .moments()
            .put(
                part.moment,
                part.packedDim > 0
                    ? SymmetricPacking.unpack(values, part.packedDim)
                    : Conversions.toDoubles(values));
      }
    }
    return sums;
  }
}
