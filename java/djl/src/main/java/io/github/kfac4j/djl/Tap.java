package io.github.kfac4j.djl;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDScope;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import io.github.kfac4j.layer.Layer;

/**
 * Where K-FAC listens to one layer. In a pass that is recorded it adds zeros to the layer's output:
 * a leaf of the graph, whose gradient is the gradient of the loss with respect to that output. The
 * zeros are a broadcast scalar and take no memory.
 */
final class Tap {
  private final String name;
  private final Block block;
  private Layer layer;
  private Parameter bias;
  private Pass pass;

  /**
   * A tap on an untouched block.
   *
   * @param name of the layer
   * @param block that {@link Layers} knows
   */
  Tap(String name, Block block) {
    this.name = name;
    this.block = block;
  }

  String name() {
    return name;
  }

  Block block() {
    return block;
  }

  Layer layer() {
    return layer;
  }

  Parameter weight() {
    return block.getDirectParameters().get(Layers.weightName(block));
  }

  /** The bias; null if there is none or it is frozen. */
  Parameter bias() {
    return bias;
  }

  /** Reads the layer off the initialized block; false if its weight is frozen. */
  boolean describe() {
    Parameter candidate = block.getDirectParameters().get(Layers.biasName(block));
    bias = candidate != null && candidate.requiresGradient() ? candidate : null;
    layer = Layers.describe(block, weight().getShape(), bias != null);
    return weight().requiresGradient();
  }

  /** Takes a description that says more of the same layer. */
  void describeAs(Layer value) {
    layer = value;
  }

  /** Records into the pass from now on, or nothing if it is null. */
  void record(Pass target) {
    pass = target;
  }

  /** What the layer's weight is multiplied by. */
  private NDArray seen(NDArray x) {
    if (Layers.takesNumbers(block)) {
      return x.toType(DataType.FLOAT64, true); // which holds all row numbers
    }
    return Layers.normalises(block) ? Normalised.of(block, x, pass.manager()) : x.stopGradient();
  }

  /** Hands the layer's output on, in a recorded pass with the zeros added. */
  NDList through(NDList inputs, NDList outputs) {
    if (pass == null) {
      return outputs;
    }
    pass.use(this);
    NDArray x = inputs.singletonOrThrow();
    if (!pass.observes() && !ThroughBatch.isCheaper(layer, x.getShape())) {
      return outputs;
    }
    NDArray s = outputs.singletonOrThrow();
    NDArray input = seen(x);
    input.attach(pass.manager());
    NDArray zero = pass.manager().zeros(new Shape(1), s.getDataType());
    NDArray zeros = zero.broadcast(s.getShape());
    zeros.setRequiresGradient(true);
    NDScope.unregister(input, zero, zeros);
    pass.put(new Capture(this, input, zeros));
    // in place: the graph keeps neither operand of a sum
    return new NDList(s.addi(zeros));
  }
}
