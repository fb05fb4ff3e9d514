package io.github.kfac4j.djl;

import ai.djl.ndarray.NDList;
import ai.djl.nn.core.Linear;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;

/** A hidden class of it has a final field that no JVM lets anyone write. */
final class FinalField extends HeldLayersTest.Keeping {
  private final Linear fc = addChildBlock("fc", Linear.builder().setUnits(3).build());

  @Override
  protected NDList forwardInternal(
      ParameterStore store, NDList inputs, boolean training, PairList<String, Object> params) {
    return fc.forward(store, inputs, training);
  }
}
