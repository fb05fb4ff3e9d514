package io.github.kfac4j.djl;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDScope;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import io.github.kfac4j.layer.Layer;
import io.github.kfac4j.trainer.ModelLayer;

/**
 * Where K-FAC listens to one layer. In a pass that is recorded it adds zeros to the layer's output:
 * a leaf of the graph, whose gradient is the gradient of the loss with respect to that output. The
 * zeros are a broadcast scalar and take no memory.
 */
final class Tap implements ModelLayer {
  private final String name;
  private final Block block;
  private Layer layer;
  private Channels channels;
  private Pass pass;
  private boolean heard;

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

  @Override
  public String name() {
    return name;
  }

  Block block() {
    return block;
  }

  /** What K-FAC knows the layer as; null if it has none. */
  Layer layer() {
    return layer;
  }

  Parameter weight() {
    return block.getDirectParameters().get(Layers.weightName(block));
  }

  private Parameter biasParameter() {
    return block.getDirectParameters().get(Layers.biasName(block));
  }

  /** The bias, if K-FAC has it; else null. */
  Parameter bias() {
    return layer.bias() ? biasParameter() : null;
  }

  /** Whether the weight is trained now. */
  @Override
  public boolean trains() {
    return weight().requiresGradient();
  }

  /** Whether there is a bias and it is trained now. */
  @Override
  public boolean trainsBias() {
    Parameter bias = biasParameter();
    return bias != null && bias.requiresGradient();
  }

  /**
   * Reads the layer off the initialized block.
   *
   * @throws IllegalArgumentException saying why, if it cannot be mapped exactly
   */
  @Override
  public Layer describe(boolean withBias) {
    channels = Channels.of(block);
    return Layers.describe(block, weight().getShape(), withBias);
  }

  @Override
  public boolean sharesWeight(ModelLayer other) {
    return other instanceof Tap tap && tap.weight() == weight();
  }

  @Override
  public void describeAs(Layer value) {
    layer = value;
  }

  /** Whether K-FAC has the layer and it is trained now. */
  boolean active() {
    return layer != null && trains();
  }

  /** Whether the layer has ever passed through this tap. */
  boolean heard() {
    return heard;
  }

  /** Records into the pass from now on, or nothing if it is null. */
  void record(Pass target) {
    pass = target;
  }

  /** Where the layer has its channels. */
  Channels channels() {
    return channels;
  }

  /** What the layer's weight is multiplied by, as the layer wants it. */
  private NDArray seen(NDArray x) {
    if (Layers.takesNumbers(block, x.getDataType())) {
      return x.toType(DataType.FLOAT64, true); // which holds all row numbers
    }
    return Layers.normalises(block)
        ? channels.arrange(Normalised.of(block, x, pass.manager()))
        : x.stopGradient();
  }

  /** Hands the layer's output on, in a recorded pass with the zeros added. */
  NDList through(NDList inputs, NDList outputs) {
    if (pass == null) {
      return outputs;
    }
    heard = true;
    if (outputs.singletonOrThrow().isEmpty()) {
      return outputs; // on no rows, as where no example is routed here, it was not used
    }
    pass.use(this);
    if (!pass.captured() || !active()) {
      return outputs;
    }
    NDArray x = inputs.singletonOrThrow();
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
