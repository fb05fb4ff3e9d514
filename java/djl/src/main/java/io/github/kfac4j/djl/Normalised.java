package io.github.kfac4j.djl;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import ai.djl.training.ParameterStore;

/**
 * What a normalisation's scale multiplies: its own forward pass once more, with scale 1, shift 0
 * and copies of its running statistics, which a training pass would change.
 */
final class Normalised extends ParameterStore {
  private final NDManager scratch;

  private Normalised(NDManager scratch) {
    super(scratch, false);
    this.scratch = scratch;
  }

  /** The normalised input, without gradients; owned by the manager. */
  static NDArray of(Block block, NDArray input, NDManager owner) {
    try (NDManager scratch = owner.newSubManager()) {
      NDArray x = input.stopGradient();
      x.attach(scratch);
      NDList outputs = block.forward(new Normalised(scratch), new NDList(x), true);
      NDArray normalised = outputs.singletonOrThrow().stopGradient();
      normalised.attach(owner);
      outputs.forEach(output -> output.attach(scratch));
      return normalised;
    }
  }

  @Override
  public NDArray getValue(Parameter parameter, Device device, boolean training) {
    NDArray value = parameter.getArray().stopGradient();
    value.attach(scratch);
    NDArray copy = value.duplicate();
    return switch (parameter.getType()) {
      case GAMMA -> copy.muli(0).addi(1);
      case BETA -> copy.muli(0);
      default -> copy;
    };
  }
}
