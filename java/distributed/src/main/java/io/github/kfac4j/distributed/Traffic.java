package io.github.kfac4j.distributed;

import io.github.kfac4j.layer.Layer;
import java.util.Map;

/**
 * The bytes that all ranks together put on the wire for the numbers of one step. Every rank but the
 * owner sends what it knows of a layer to the owner, and the owner sends to every rank but itself,
 * so each block of b bytes costs b (ranks - 1) either way.
 *
 * <p>Short messages, by which ranks agree that all are well, come on top.
 *
 * @param statistics A and G as triangles, the diagonal of an embedding's A, to the owners, when
 *     factors are updated
 * @param gradients to the owners, at every step
 * @param preconditioned gradients, to all, at every step
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
      int input = LayerCost.hasDiagonalInput(layer) ? n : SymmetricPacking.size(n);
      statistics += format.bytes(layer.groups() * input);
      statistics += format.bytes(layer.groups() * SymmetricPacking.size(layer.outputDim()));
      gradients += format.bytes(Math.toIntExact(layer.weightShape().size()));
      gradients += layer.bias() ? format.bytes(Math.toIntExact(layer.biasShape().size())) : 0;
    }
    long others = assignment.ranks() - 1;
    return new Traffic(others * statistics, others * gradients, others * gradients);
  }
}
