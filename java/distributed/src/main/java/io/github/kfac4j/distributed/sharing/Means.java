package io.github.kfac4j.distributed.sharing;

import io.github.kfac4j.distributed.collectives.Collectives;
import io.github.kfac4j.distributed.collectives.Precision;
import io.github.kfac4j.distributed.exchange.Block;
import io.github.kfac4j.distributed.exchange.Conversions;
import io.github.kfac4j.distributed.exchange.Exchange;
import io.github.kfac4j.distributed.exchange.Frames;
import io.github.kfac4j.tensor.HostTensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Means over ranks that have the same bits on all of them. */
public final class Means {
  private Means() {}

  /**
   * Replaces tensors by their weighted sums over all ranks: each is summed by one rank, which sends
   * the result to all.
   *
   * @param tensors by name, the same names and shapes in the same order on all ranks
   * @param weight of this rank; for means the weights of all ranks add to 1
   */
  public static void average(
      Collectives collectives, Map<String, HostTensor> tensors, double weight) {
    List<LayerCost> sizes = new ArrayList<>();
    tensors.forEach((name, tensor) -> sizes.add(new LayerCost(name, tensor.size())));
    Assignment assignment = Assignment.balanced(sizes, collectives.size());
    List<Block> blocks = new ArrayList<>();
    tensors.forEach(
        (name, tensor) ->
            blocks.add(
                new Block(assignment.owner(name), Conversions.toFloats(tensor.toArray(), weight))));
    Exchange exchange = new Exchange(collectives, Precision.FP32);
    exchange.sum(blocks).await();
    exchange.gather(blocks).await();
    int next = 0;
    for (HostTensor tensor : tensors.values()) {
      double[] values = Conversions.toDoubles(blocks.get(next++).values());
      tensor.write(0, values, 0, values.length);
    }
  }

  /** The sums of numbers over all ranks in fp64, added in their order; the same on all. */
  public static double[] sum(Collectives collectives, double... mine) {
    byte[] message =
        Frames.bytes(
            out -> {
              for (double value : mine) {
                out.writeDouble(value);
              }
            });
    double[] sums = new double[mine.length];
    for (byte[] one : Frames.gather(collectives, message)) {
      double[] values =
          Frames.read(
              one,
              in -> {
                double[] read = new double[sums.length];
                for (int i = 0; i < read.length; i++) {
                  read[i] = in.readDouble();
                }
                return read;
              });
      for (int i = 0; i < sums.length; i++) {
        sums[i] += values[i];
      }
    }
    return sums;
  }
}
