package io.github.kfac4j.experiments.network;

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
import io.github.kfac4j.experiments.data.BatchReader;
import io.github.kfac4j.experiments.options.ModelName;
import io.github.kfac4j.experiments.options.Recipe;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A network with its parameters: gradients of the mean loss of a batch, and evaluation.
 *
 * <p>Used from one thread: PyTorch keeps its gradient mode per thread.
 */
public final class Network implements AutoCloseable {
  static {
    // read when the engine starts: the libraries are on the class path, nothing is to be fetched
    System.setProperty("ai.djl.offline", "true");
    System.setProperty("OPT_OUT_TRACKING", "true");
  }

  private final Model model = Model.newInstance("kfac4j", Device.cpu(), "PyTorch");
  private final NDManager manager = model.getNDManager();
  private final Shape exampleShape;
  private final ParameterStore store = new ParameterStore(manager, false);
  private final Map<String, NDArray> parameters = new LinkedHashMap<>();
  private final Map<String, NDArray> all = new LinkedHashMap<>();
  private final Task task;
  private final Loss trainingLoss;

  /**
   * Makes a network: weights uniform with variance 2 / (inputs + outputs) (Glorot and Bengio,
   * 2010), those of an embedding normal with variance 1 / width, biases zero.
   *
   * @param exampleShape [channels, height, width] of images, [length] of sequences
   * @param seed equal seeds give equal weights
   */
  public Network(ModelName name, int classes, Shape exampleShape, Recipe recipe, long seed) {
    Block block = Networks.create(name, classes, Math.toIntExact(exampleShape.size()));
    this.exampleShape = exampleShape;
    this.task = Task.of(name);
    this.trainingLoss = task.loss(recipe);
    model.setBlock(block);
    Engine.getInstance().setRandomSeed((int) (seed ^ seed >>> 32));
    block.setInitializer(new XavierInitializer(), Parameter.Type.WEIGHT);
    block.setInitializer(new EmbeddingInitializer(), one -> one.getName().equals("embedding"));
    block.initialize(manager, DataType.FLOAT32, new Shape(1).addAll(exampleShape));
    block
        .getParameters()
        .forEach(
            entry -> {
              NDArray array = entry.getValue().getArray();
              all.put(entry.getKey(), array);
              if (entry.getValue().requiresGradient()) {
                parameters.put(entry.getKey(), array);
              }
            });
  }

  /** The model, for K-FAC to listen to its layers. */
  public Model model() {
    return model;
  }

  /** Where arrays live that stay as long as the network. */
  public NDManager manager() {
    return manager;
  }

  /** What a checkpoint has to hold: parameters and running statistics, by name. */
  public Map<String, NDArray> arrays() {
    return all;
  }

  /** The parameters that are trained, by name, in order; owned by the network. */
  public Map<String, NDArray> parameters() {
    return parameters;
  }

  public Task task() {
    return task;
  }

  /** The loss that is trained on, a mean over the batch. */
  public Loss trainingLoss() {
    return trainingLoss;
  }

  /** Divides the weights of every output channel of a convolution by their norm. */
  public void normaliseChannels() {
    for (NDArray w : parameters.values()) {
      if (w.getShape().dimension() == 4) {
        int[] inputs = {1, 2, 3};
        try (NDArray squares = w.square();
            NDArray sums = squares.sum(inputs, true);
            NDArray norms = sums.sqrt();
            NDArray positive = norms.maximum(Float.MIN_NORMAL)) {
          w.divi(positive);
        }
      }
    }
  }

  /**
   * Sum of the loss over the predictions of a batch and how many of them were right, NaN without
   * classes, and how long it took to compute.
   *
   * @param count of predictions: one an image, one a token
   */
  public record Result(
      double lossSum, double correct, int count, double forwardSeconds, double backwardSeconds) {
    public double meanLoss() {
      return lossSum / count;
    }

    public double accuracy() {
      return correct / count;
    }

    /** The result of both batches together. */
    public Result plus(Result other) {
      return new Result(
          lossSum + other.lossSum,
          correct + other.correct,
          count + other.count,
          forwardSeconds + other.forwardSeconds,
          backwardSeconds + other.backwardSeconds);
    }
  }

  /** A batch as arrays. */
  public record Batch(NDList inputs, NDList targets) {}

  /** The batch in {@code reader}, owned by {@code scope}. */
  public Batch batch(BatchReader reader, NDManager scope) {
    long count = reader.inputs().remaining() / Float.BYTES / exampleShape.size();
    Shape shape = new Shape(count).addAll(exampleShape);
    NDArray inputs = scope.create(reader.inputs(), shape, DataType.FLOAT32);
    Shape labelled = task.labelled(shape);
    NDArray labels = scope.create(reader.labels(), labelled, DataType.FLOAT32);
    return new Batch(new NDList(inputs), task.targets(inputs, labels));
  }

  /** Adds the gradients of the mean loss of the batch in {@code reader} to the parameters'. */
  public Result backward(BatchReader reader) {
    try (NDManager scope = manager.newSubManager()) {
      long start = System.nanoTime();
      Batch batch = batch(reader, scope);
      NDArray mean;
      NDArray outputs;
      long middle;
      try (GradientCollector collector = Engine.getInstance().newGradientCollector()) {
        outputs = forward(batch, true);
        mean = trainingLoss.evaluate(batch.targets, new NDList(outputs));
        middle = System.nanoTime();
        collector.backward(mean);
      }
      long end = System.nanoTime();
      return result(batch, outputs, mean, (middle - start) * 1e-9, (end - middle) * 1e-9);
    }
  }

  /** Loss and accuracy on the batch in {@code reader}, without gradients. */
  public Result evaluate(BatchReader reader) {
    try (NDManager scope = manager.newSubManager()) {
      long start = System.nanoTime();
      Batch batch = batch(reader, scope);
      NDArray outputs = forward(batch, false);
      NDArray mean = task.loss().evaluate(batch.targets, new NDList(outputs));
      return result(batch, outputs, mean, (System.nanoTime() - start) * 1e-9, 0);
    }
  }

  private Result result(
      Batch batch, NDArray outputs, NDArray mean, double forward, double backward) {
    NDArray targets = batch.targets.singletonOrThrow();
    int count = task.predictions(targets);
    double correct = task.correct(outputs, targets);
    return new Result((double) mean.getFloat() * count, correct, count, forward, backward);
  }

  /** The outputs in evaluation mode. */
  NDArray outputs(Batch batch) {
    return forward(batch, false);
  }

  private NDArray forward(Batch batch, boolean training) {
    return model.getBlock().forward(store, batch.inputs, training).singletonOrThrow();
  }

  /** Handles on the gradients; the caller closes them, the arrays belong to the network. */
  public Map<String, NDArray> gradients() {
    Map<String, NDArray> gradients = new LinkedHashMap<>();
    parameters.forEach((name, array) -> gradients.put(name, array.getGradient()));
    return gradients;
  }

  /** Makes all gradients zeros. */
  void clearGradients() {
    for (NDArray gradient : gradients().values()) {
      gradient.subi(gradient);
      gradient.close();
    }
  }

  @Override
  public void close() {
    model.close();
  }
}
