package io.github.kfac4j.experiments.network;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.initializer.Initializer;
import ai.djl.training.initializer.NormalInitializer;

/** Normal with variance 1 / width, for a table [vocabulary, width]. */
final class EmbeddingInitializer implements Initializer {
  @Override
  public NDArray initialize(NDManager manager, Shape shape, DataType dataType) {
    float deviation = (float) (1 / Math.sqrt(shape.get(1)));
    return new NormalInitializer(deviation).initialize(manager, shape, dataType);
  }
}
