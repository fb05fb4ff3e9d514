package io.github.kfac4j.distributed.ranks;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.data.Advice;
import io.github.kfac4j.data.LayerGradient;
import io.github.kfac4j.distributed.exchange.Block;
import io.github.kfac4j.distributed.exchange.Conversions;
import io.github.kfac4j.distributed.sharing.Assignment;
import io.github.kfac4j.layer.Layer;
import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.tensor.InPlace;
import io.github.kfac4j.tensor.Shape;
import io.github.kfac4j.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.IntPredicate;
import java.util.function.Predicate;

/** The gradients of a step as numbers to be sent: weight and bias of each layer in turn. */
final class GradientBlocks {
  private final Map<String, Layer> layers;
  private final Assignment assignment;
  private final Backend backend;

  GradientBlocks(Map<String, Layer> layers, Assignment assignment, Backend backend) {
    this.layers = layers;
    this.assignment = assignment;
    this.backend = backend;
  }

  /**
   * Checks the gradients that a trainer handed over.
   *
   * @param finite whether the numbers are checked too
   * @throws IllegalArgumentException naming the layer and what is wrong
   */
  void check(List<LayerGradient> gradients, boolean finite) {
    Set<String> seen = new HashSet<>();
    List<Tensor> tensors = new ArrayList<>();
    List<String> names = new ArrayList<>();
    InPlace replaced = new InPlace("replaced by the preconditioned one");
    for (LayerGradient gradient : gradients) {
      Layer layer = layers.get(gradient.layer());
      require(layer != null, gradient, "unknown layer; known are " + layers.keySet());
      require(seen.add(gradient.layer()), gradient, "given twice in one call");
      require(
          layer.bias() == (gradient.bias() != null),
          gradient,
          layer.bias()
              ? "the bias gradient is missing"
              : "has no bias, but was given a gradient of one");
      add(gradient, "weight gradient", gradient.weight(), layer.weightShape(), tensors, names);
      if (layer.bias()) {
        add(gradient, "bias gradient", gradient.bias(), layer.biasShape(), tensors, names);
      }
    }
    for (int i = 0; i < tensors.size(); i++) {
      replaced.add(names.get(i), tensors.get(i));
    }
    replaced.requireApart();
    long[] first = finite ? backend.firstNonFinite(tensors) : new long[0];
    for (int i = 0; i < first.length; i++) {
      if (first[i] >= 0) {
        throw new IllegalArgumentException(
            names.get(i)
                + " holds a NaN or infinity at flat index "
                + first[i]
                + Advice.DISCARD_STEP);
      }
    }
  }

  private static void add(
      LayerGradient gradient,
      String what,
      Tensor tensor,
      Shape expected,
      List<Tensor> tensors,
      List<String> names) {
    require(
        tensor.shape().equals(expected),
        gradient,
        "%s has shape %s, expected %s".formatted(what, tensor.shape(), expected));
    require(
        tensor instanceof HostTensor,
        gradient,
        what + " must be in host memory to be sent to other ranks");
    tensors.add(tensor);
    names.add("layer '%s': %s".formatted(gradient.layer(), what));
  }

  private static void require(boolean ok, LayerGradient gradient, String problem) {
    if (!ok) {
      throw new IllegalArgumentException("layer '%s': %s".formatted(gradient.layer(), problem));
    }
  }

  /**
   * Copies, multiplied by this rank's share of the batch; zeros if that is 0, whatever the
   * gradients are.
   */
  List<Block> toBlocks(List<LayerGradient> gradients, double share) {
    List<Block> blocks = new ArrayList<>();
    for (LayerGradient gradient : gradients) {
      for (HostTensor tensor : tensors(gradient)) {
        float[] values =
            share > 0 ? Conversions.toFloats(tensor.toArray(), share) : new float[tensor.size()];
        blocks.add(new Block(assignment.owner(gradient.layer()), values));
      }
    }
    return blocks;
  }

  /** Gradients of the layers of some owners, over the memory of their blocks. */
  List<LayerGradient> some(List<LayerGradient> gradients, List<Block> blocks, IntPredicate owners) {
    List<LayerGradient> owned = new ArrayList<>();
    int next = 0;
    for (LayerGradient gradient : gradients) {
      Block weight = blocks.get(next++);
      Block bias = gradient.bias() == null ? null : blocks.get(next++);
      if (owners.test(weight.owner())) {
        owned.add(
            new LayerGradient(
                gradient.layer(),
                view(weight, gradient.weight()),
                bias == null ? null : view(bias, gradient.bias())));
      }
    }
    return owned;
  }

  private static HostTensor view(Block block, Tensor like) {
    int[] shape = new int[like.shape().rank()];
    Arrays.setAll(shape, like.shape()::get);
    return HostTensor.of(block.values(), shape);
  }

  /** Multiplies the blocks of some layers. */
  void scale(
      List<Block> blocks, List<LayerGradient> gradients, Predicate<String> layers, double factor) {
    int next = 0;
    for (LayerGradient gradient : gradients) {
      for (int i = tensors(gradient).size(); i > 0; i--) {
        Block block = blocks.get(next++);
        if (layers.test(gradient.layer())) {
          block.scale(factor);
        }
      }
    }
  }

  /** Writes blocks back to where they came from. */
  void store(List<Block> blocks, List<LayerGradient> gradients) {
    store(blocks, gradients, owner -> true);
  }

  /** Writes the blocks of one rank back. */
  void storeOwned(List<Block> blocks, List<LayerGradient> gradients, int rank) {
    store(blocks, gradients, owner -> owner == rank);
  }

  private static void store(
      List<Block> blocks, List<LayerGradient> gradients, IntPredicate owners) {
    int next = 0;
    for (LayerGradient gradient : gradients) {
      for (HostTensor tensor : tensors(gradient)) {
        Block block = blocks.get(next++);
        if (owners.test(block.owner())) {
          double[] values = Conversions.toDoubles(block.values());
          tensor.write(0, values, 0, values.length);
        }
      }
    }
  }

  private static List<HostTensor> tensors(LayerGradient gradient) {
    HostTensor weight = (HostTensor) gradient.weight();
    return gradient.bias() == null
        ? List.of(weight)
        : List.of(weight, (HostTensor) gradient.bias());
  }
}
