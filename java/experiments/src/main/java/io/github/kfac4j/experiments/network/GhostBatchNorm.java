package io.github.kfac4j.experiments.network;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.AbstractBlock;
import ai.djl.nn.Parameter;
import ai.djl.nn.norm.BatchNorm;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;

/**
 * Batch normalisation with the statistics of parts of the batch, so that what it does does not
 * depend on the batch size (Hoffer et al., 2017). The parts are as many as there are {@code ghost}
 * images in the batch, and one at least; their sizes differ by one at most. The optimizer alone
 * trains scale and shift: K-FAC has no layer that sees other examples in each of its uses.
 */
final class GhostBatchNorm extends AbstractBlock {
  private static final int CHANNELS = 1;
  private static final float MOMENTUM = 0.9f;
  private static final float EPSILON = 1e-5f;

  private final int ghost;
  private final Parameter gamma = parameter("gamma", Parameter.Type.GAMMA, true);
  private final Parameter beta = parameter("beta", Parameter.Type.BETA, true);
  private final Parameter mean = parameter("runningMean", Parameter.Type.RUNNING_MEAN, false);
  private final Parameter variance = parameter("runningVar", Parameter.Type.RUNNING_VAR, false);

  GhostBatchNorm(int ghost) {
    this.ghost = ghost;
  }

  private Parameter parameter(String name, Parameter.Type type, boolean trained) {
    return addParameter(
        Parameter.builder().setName(name).setType(type).optRequiresGrad(trained).build());
  }

  @Override
  protected NDList forwardInternal(
      ParameterStore store, NDList inputs, boolean training, PairList<String, Object> params) {
    NDArray x = inputs.singletonOrThrow();
    int count = Math.toIntExact(x.getShape().get(0));
    int parts = training ? Math.max(1, count / ghost) : 1;
    if (parts == 1) {
      return normalise(store, x, training);
    }
    long[] starts = new long[parts - 1];
    for (int i = 1; i < parts; i++) {
      starts[i - 1] = (long) i * count / parts;
    }
    NDList outputs = new NDList(parts);
    for (NDArray part : x.split(starts)) {
      outputs.addAll(normalise(store, part, true));
    }
    return new NDList(NDArrays.concat(outputs, 0));
  }

  private NDList normalise(ParameterStore store, NDArray x, boolean training) {
    return BatchNorm.batchNorm(
        x,
        store.getValue(mean, x.getDevice(), training),
        store.getValue(variance, x.getDevice(), training),
        store.getValue(gamma, x.getDevice(), training),
        store.getValue(beta, x.getDevice(), training),
        CHANNELS,
        MOMENTUM,
        EPSILON,
        training);
  }

  @Override
  protected void prepare(Shape[] shapes) {
    Shape channels = new Shape(shapes[0].get(CHANNELS));
    for (Parameter parameter : getDirectParameters().values()) {
      parameter.setShape(channels);
    }
  }

  @Override
  public Shape[] getOutputShapes(Shape[] shapes) {
    return shapes;
  }
}
