package io.github.kfac4j.distributed.sharing;

import io.github.kfac4j.distributed.collectives.Precision;
import io.github.kfac4j.distributed.exchange.BlockFormat;
import io.github.kfac4j.distributed.ranks.SymmetricPacking;
import io.github.kfac4j.layer.Layer;
import java.util.Map;

/**
 * The bytes that all ranks together put on the wire for the numbers of one step. Every rank but the
 * owner sends what it knows of a layer to the owner: a block of b bytes costs b (ranks - 1). The
 * owner hands sums of gradients to the other workers, b (workers - 1), and every rank that is no
 * worker gets the preconditioned gradient of one, b (ranks - workers).
 *
 * <p>Short messages, by which ranks agree that all are well, come on top, and with more than one
 * worker the state of a layer, which goes to the other workers when inverses are renewed.
 *
 * @param statistics A and G as triangles, the diagonal of an embedding's A, to the owners, when
 *     factors are updated
 * @param gradients to the owners and the other workers, at every step
 * @param preconditioned gradients, to all who have not made them, at every step
 */
public record Traffic(long statistics, long gradients, long preconditioned) {
  /** Of Kronecker blocks; other approximations send other statistics. */
  public static Traffic of(
      Map<String, ? extends Layer> layers, Assignment assignment, Precision precision) {
    BlockFormat format = precision == Precision.FP32 ? BlockFormat.FP32 : BlockFormat.FP16;
    long statistics = 0;
    long gradients = 0;
    for (Layer layer : layers.values()) {
      int n = layer.inputDim();
      int input = layer.diagonalInput() ? n : SymmetricPacking.size(n);
      statistics += format.bytes(layer.groups() * input);
      statistics += format.bytes(layer.groups() * SymmetricPacking.size(layer.outputDim()));
      gradients += format.bytes(Math.toIntExact(layer.weightShape().size()));
      gradients += layer.bias() ? format.bytes(Math.toIntExact(layer.biasShape().size())) : 0;
    }
    long others = assignment.ranks() - 1;
    int workers = assignment.workers();
    return new Traffic(
        others * statistics,
        (others + workers - 1) * gradients,
        (assignment.ranks() - workers) * gradients);
  }
}
