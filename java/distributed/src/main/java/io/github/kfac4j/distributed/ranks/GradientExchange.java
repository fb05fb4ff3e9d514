package io.github.kfac4j.distributed.ranks;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.data.LayerGradient;
import io.github.kfac4j.distributed.collectives.Precision;
import io.github.kfac4j.distributed.exchange.Agreement;
import io.github.kfac4j.distributed.exchange.Block;
import io.github.kfac4j.distributed.exchange.Conversions;
import io.github.kfac4j.distributed.exchange.Exchange;
import io.github.kfac4j.distributed.exchange.Frames;
import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.tensor.InPlace;
import java.io.DataInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * How gradients travel: summed to the owners of their layers, and back to all ranks once
 * preconditioned.
 */
final class GradientExchange {
  private final SharedLayers shared;
  private final GradientBlocks blocks;
  private final Exchange exchange;
  private final Agreement agreement;

  GradientExchange(SharedLayers shared, Backend backend, Precision precision) {
    this.shared = shared;
    this.blocks = new GradientBlocks(shared.layers(), shared.assignment(), backend);
    this.exchange = new Exchange(shared.collectives(), precision);
    this.agreement = new Agreement(shared.collectives());
  }

  /**
   * Sums gradients at their owners, and hands the sums to other workers.
   *
   * @param examples of this rank's shard
   * @param failure of this rank, or null
   * @return blocks of which those that this rank works for hold the means over the whole batch
   */
  List<Block> sum(List<LayerGradient> gradients, double examples, RuntimeException failure) {
    double share = share(gradients, examples, failure);
    List<Block> sums = blocks.toBlocks(gradients, share);
    exchange.sum(sums).await();
    if (shared.assignment().workers() > 1) {
      exchange.send(
          sums, (owner, rank) -> shared.assignment().worker(owner, rank) == rank ? owner : -1);
    }
    return sums;
  }

  /** This rank's share of the batch, after all have agreed that gradients are good. */
  private double share(List<LayerGradient> gradients, double examples, RuntimeException failure) {
    RuntimeException problem = failure;
    try {
      blocks.check(gradients, examples > 0);
    } catch (RuntimeException e) {
      problem = problem == null ? e : problem;
    }
    String layers = gradients.stream().map(LayerGradient::layer).toList().toString();
    byte[] message =
        Frames.bytes(
            out -> {
              out.writeDouble(examples);
              out.write(layers.getBytes(StandardCharsets.UTF_8));
            });
    double total = 0;
    String first = null;
    int rank = 0;
    for (byte[] one : agreement.agree(problem, message)) {
      total += Frames.read(one, in -> in.readDouble());
      String theirs =
          new String(one, Double.BYTES, one.length - Double.BYTES, StandardCharsets.UTF_8);
      first = first == null ? theirs : first;
      if (!first.equals(theirs)) {
        throw new IllegalArgumentException(
            "ranks give gradients of different layers: rank 0 of %s, rank %d of %s"
                .formatted(first, rank, theirs));
      }
      rank++;
    }
    if (total == 0) {
      throw new IllegalArgumentException("the shards of all ranks are empty");
    }
    return examples / total;
  }

  /**
   * Preconditions what this rank works for, in the blocks.
   *
   * @return the outcome on all ranks, after all have agreed that there was no failure
   */
  Preconditioned precondition(RankLayers layers, List<LayerGradient> gradients, List<Block> sums) {
    int rank = shared.rank();
    Preconditioned mine = null;
    RuntimeException failure = null;
    try {
      mine =
          layers.precondition(
              blocks.some(gradients, sums, owner -> owner == rank),
              blocks.some(gradients, sums, owner -> owner != rank && shared.worksFor(owner)));
    } catch (RuntimeException e) {
      failure = e;
    }
    byte[] message = mine == null ? null : message(mine);
    double total = 0;
    List<String> plain = new ArrayList<>();
    for (byte[] one : agreement.agree(failure, message)) {
      Preconditioned theirs = Frames.read(one, GradientExchange::read);
      total += theirs.innerProduct();
      plain.addAll(theirs.plain());
    }
    return new Preconditioned(total, List.copyOf(plain));
  }

  private static byte[] message(Preconditioned mine) {
    return Frames.bytes(
        out -> {
          out.writeDouble(mine.innerProduct());
          out.writeInt(mine.plain().size());
          for (String layer : mine.plain()) {
            out.writeUTF(layer);
          }
        });
  }

  private static Preconditioned read(DataInputStream in) throws IOException {
    double innerProduct = in.readDouble();
    List<String> plain = new ArrayList<>();
    for (int i = in.readInt(); i > 0; i--) {
      plain.add(in.readUTF());
    }
    return new Preconditioned(innerProduct, plain);
  }

  /** Multiplies what was preconditioned. */
  void scale(
      List<Block> preconditioned,
      List<LayerGradient> gradients,
      List<String> plain,
      double factor) {
    blocks.scale(preconditioned, gradients, layer -> !plain.contains(layer), factor);
  }

  /** Brings preconditioned gradients to all ranks and writes them back. */
  void toAll(List<Block> preconditioned, List<LayerGradient> gradients) {
    if (shared.assignment().workers() == 1) {
      exchange.gather(preconditioned).await();
    } else {
      exchange.send(preconditioned, shared.assignment()::worker);
    }
    blocks.store(preconditioned, gradients);
  }

  /** Writes back what this rank owns. */
  void toOwners(List<Block> preconditioned, List<LayerGradient> gradients) {
    blocks.storeOwned(preconditioned, gradients, shared.rank());
  }

  /** Copies weights from the owners of their layers to all ranks. */
  void gatherWeights(Map<String, List<HostTensor>> weights) {
    List<Block> copies = new ArrayList<>();
    List<HostTensor> tensors = new ArrayList<>();
    InPlace overwritten = new InPlace("overwritten");
    weights.forEach(
        (layer, parts) -> {
          if (!shared.layers().containsKey(layer)) {
            throw new IllegalArgumentException(
                "layer '%s': unknown layer; known are %s"
                    .formatted(layer, shared.layers().keySet()));
          }
          for (HostTensor part : parts) {
            float[] values = Conversions.toFloats(part.toArray(), 1);
            overwritten.add("layer '%s': weight".formatted(layer), part);
            copies.add(new Block(shared.assignment().owner(layer), values));
            tensors.add(part);
          }
        });
    overwritten.requireApart();
    new Exchange(shared.collectives(), Precision.FP32).gather(copies).await();
    for (int i = 0; i < tensors.size(); i++) {
      double[] values = Conversions.toDoubles(copies.get(i).values());
      tensors.get(i).write(0, values, 0, values.length);
    }
  }
}
