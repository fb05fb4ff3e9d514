package io.github.kfac4j.djl;

import ai.djl.ndarray.NDList;
import ai.djl.nn.Block;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;

/**
 * Takes the place of a layer whose class cannot be extended and leaves everything to it; only the
 * output passes through a {@link Tap}. A parent can hold it where it asks for any {@link Block}.
 */
final class TappedBlock extends DelegatingBlock implements Tapped {
  private Tap tap;

  TappedBlock(Block original) {
    super(original);
  }

  @Override
  public Block original() {
    return original;
  }

  @Override
  public void listen(Tap value) {
    tap = value;
  }

  @Override
  public NDList forward(
      ParameterStore parameterStore,
      NDList inputs,
      boolean training,
      PairList<String, Object> params) {
    NDList outputs = original.forward(parameterStore, inputs, training, params);
    return training && tap != null ? tap.through(inputs, outputs) : outputs;
  }
}
