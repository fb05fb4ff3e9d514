package io.github.kfac4j.experiments.train;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.AbstractBlock;
import ai.djl.nn.norm.BatchNorm;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;

/**
 * Batch normalisation with the statistics of parts of the batch, so that what it does does not
 * depend on the batch size (Hoffer et al., 2017). The parts are as many as there are {@code ghost}
 * images in the batch, and one at least; their sizes differ by one at most.
 */
final class GhostBatchNorm extends AbstractBlock {
  private final int ghost;
  private final BatchNorm norm;

  GhostBatchNorm(int ghost) {
    this.ghost = ghost;
    this.norm = addChildBlock("norm", BatchNorm.builder().build());
  }

  @Override
  protected NDList forwardInternal(
      ParameterStore store, NDList inputs, boolean training, PairList<String, Object> params) {
    NDArray x = inputs.singletonOrThrow();
    int count = Math.toIntExact(x.getShape().get(0));
    int parts = Math.max(1, count / ghost);
    if (!training || parts == 1) {
      return norm.forward(store, inputs, training, params);
    }
    long[] starts = new long[parts - 1];
    for (int i = 1; i < parts; i++) {
      starts[i - 1] = (long) i * count / parts;
    }
    NDList outputs = new NDList(parts);
    for (NDArray part : x.split(starts)) {
      outputs.addAll(norm.forward(store, new NDList(part), true, params));
    }
    return new NDList(NDArrays.concat(outputs, 0));
  }

  @Override
  protected void initializeChildBlocks(NDManager manager, DataType type, Shape... shapes) {
    norm.initialize(manager, type, shapes);
  }

  @Override
  public Shape[] getOutputShapes(Shape[] shapes) {
    return shapes;
  }
}
