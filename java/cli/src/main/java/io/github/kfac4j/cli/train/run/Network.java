package io.github.kfac4j.cli.train.run;

import ai.djl.Device;
import ai.djl.Model;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import ai.djl.training.initializer.XavierInitializer;
import ai.djl.training.loss.Loss;
import io.github.kfac4j.cli.data.BatchReader;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A block with its parameters: gradients of the mean cross entropy of a batch, and evaluation.
 *
 * <p>Used from one thread: PyTorch keeps its gradient mode per thread.
 */
final class Network implements AutoCloseable {
  static {
    // read when the engine starts: the libraries are on the class path, nothing is to be fetched
    System.setProperty("ai.djl.offline", "true");
    System.setProperty("OPT_OUT_TRACKING", "true");
  }

  private final Model model = Model.newInstance("kfac4j", Device.cpu(), "PyTorch");
  private final NDManager manager = model.getNDManager();
  private final Shape imageShape;
  private final ParameterStore store = new ParameterStore(manager, false);
  private final Map<String, NDArray> parameters = new LinkedHashMap<>();
  private final Loss loss = Loss.softmaxCrossEntropyLoss();

  /**
   * Initialises the block: weights uniform with variance 2 / (inputs + outputs) (Glorot and Bengio,
   * 2010), biases zero.
   *
   * @param imageShape [channels, height, width]
   * @param seed equal seeds give equal weights
   */
  Network(Block block, Shape imageShape, long seed) {
    this.imageShape = imageShape;
    model.setBlock(block);
    Engine.getInstance().setRandomSeed((int) (seed ^ seed >>> 32));
    block.setInitializer(new XavierInitializer(), Parameter.Type.WEIGHT);
    block.initialize(manager, DataType.FLOAT32, new Shape(1).addAll(imageShape));
    block
        .getParameters()
        .forEach(entry -> parameters.put(entry.getKey(), entry.getValue().getArray()));
  }

  /** The model, for K-FAC to listen to its layers. */
  Model model() {
    return model;
  }

  /** Where arrays live that stay as long as the network. */
  NDManager manager() {
    return manager;
  }

  /** The parameters by name, in order; owned by the network. */
  Map<String, NDArray> parameters() {
    return parameters;
  }

  /**
   * Sum of the loss over a batch and the number of images classified correctly, and how long it
   * took to compute.
   */
  record Result(
      double lossSum, int correct, int count, double forwardSeconds, double backwardSeconds) {
    double meanLoss() {
      return lossSum / count;
    }

    double accuracy() {
      return (double) correct / count;
    }
  }

  /** Adds the gradients of the mean loss of the batch in {@code reader} to the parameters'. */
  Result backward(BatchReader reader) {
    try (NDManager scope = manager.newSubManager()) {
      long start = System.nanoTime();
      NDList labels = new NDList(labels(reader, scope));
      NDArray mean;
      NDArray logits;
      long middle;
      try (GradientCollector collector = Engine.getInstance().newGradientCollector()) {
        logits = forward(reader, scope, true);
        mean = loss.evaluate(labels, new NDList(logits));
        middle = System.nanoTime();
        collector.backward(mean);
      }
      long end = System.nanoTime();
      int count = (int) logits.getShape().get(0);
      return new Result(
          (double) mean.getFloat() * count,
          correct(logits, labels.singletonOrThrow()),
          count,
          (middle - start) * 1e-9,
          (end - middle) * 1e-9);
    }
  }

  /** Loss and accuracy on the batch in {@code reader}, without gradients. */
  Result evaluate(BatchReader reader) {
    try (NDManager scope = manager.newSubManager()) {
      long start = System.nanoTime();
      NDArray labels = labels(reader, scope);
      NDArray logits = forward(reader, scope, false);
      NDArray mean = loss.evaluate(new NDList(labels), new NDList(logits));
      int count = (int) logits.getShape().get(0);
      double seconds = (System.nanoTime() - start) * 1e-9;
      return new Result(
          (double) mean.getFloat() * count, correct(logits, labels), count, seconds, 0);
    }
  }

  private NDArray forward(BatchReader reader, NDManager scope, boolean training) {
    long count = reader.labels().remaining() / Float.BYTES;
    NDArray images =
        scope.create(reader.pixels(), new Shape(count).addAll(imageShape), DataType.FLOAT32);
    return model.getBlock().forward(store, new NDList(images), training).singletonOrThrow();
  }

  private static NDArray labels(BatchReader reader, NDManager scope) {
    long count = reader.labels().remaining() / Float.BYTES;
    return scope.create(reader.labels(), new Shape(count), DataType.FLOAT32);
  }

  private static int correct(NDArray logits, NDArray labels) {
    return (int) logits.argMax(1).eq(labels.toType(DataType.INT64, false)).sum().toLongArray()[0];
  }

  /** Handles on the gradients; the caller closes them, the arrays belong to the network. */
  Map<String, NDArray> gradients() {
    Map<String, NDArray> gradients = new LinkedHashMap<>();
    parameters.forEach((name, array) -> gradients.put(name, array.getGradient()));
    return gradients;
  }

  @Override
  public void close() {
    model.close();
  }
}
