package io.github.kfac4j.cli.train.run;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.cli.data.BatchOrder;
import io.github.kfac4j.cli.data.BatchReader;
import io.github.kfac4j.cli.data.Dataset;
import io.github.kfac4j.cli.data.Images;
import io.github.kfac4j.cli.train.optimizer.Adam;
import io.github.kfac4j.cli.train.optimizer.Optimizer;
import io.github.kfac4j.cli.train.optimizer.Sgd;
import io.github.kfac4j.cli.train.run.History.Times;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;

/** One network in training with one optimizer: single steps, evaluation, saving and restoring. */
final class Training implements AutoCloseable {
  /** Momentum of SGD, and of the update that follows K-FAC's preconditioning. */
  static final double MOMENTUM = 0.9;

  private static final int EVALUATION_BATCH = 500;

  private final Network network;
  private final Optional<GradientTransform> transform;
  private final Optimizer optimizer;
  private final BatchOrder order;
  private final BatchReader trainReader;
  private final BatchReader validationReader;
  private final int validationCount;
  private final double epochsPerStep;
  private History history = new History();

  /** Starts from the initial weights; {@code backend} is used for K-FAC and stays the caller's. */
  Training(OptimizerName name, RunOptions options, Dataset data, Backend backend) {
    Images images = data.train();
    Shape shape = new Shape(images.channels(), images.height(), images.width());
    network = new Network(Networks.create(options.model(), Dataset.CLASSES), shape, options.seed());
    transform =
        name == OptimizerName.KFAC
            ? Optional.of(new KfacTransform(network.model(), options, backend))
            : Optional.empty();
    double rate = options.learningRates().get(name);
    optimizer =
        name == OptimizerName.ADAM
            ? new Adam(network.parameters(), network.manager(), rate)
            : new Sgd(network.parameters(), network.manager(), rate, MOMENTUM);
    order = new BatchOrder(images.count(), options.batch(), options.seed());
    trainReader = BatchReader.training(data, options.batch(), options.seed());
    validationReader = BatchReader.validation(data, EVALUATION_BATCH);
    validationCount = data.validation().count();
    epochsPerStep = 1.0 / order.batchesPerEpoch();
  }

  History history() {
    return history;
  }

  /**
   * Trains on the next batch; if its loss is not finite, the weights stay as they are.
   *
   * @throws TrainingFailedException if the gradients cannot be used; the weights are unchanged
   */
  History.Step step() {
    long start = System.nanoTime();
    long index = history.stepCount();
    trainReader.read(order.indices(index), index);
    Network.Result result = network.backward(trainReader);
    long backwardEnd = System.nanoTime();
    boolean finite = Double.isFinite(result.lossSum());
    if (finite) {
      transform.ifPresent(GradientTransform::apply);
    }
    long transformEnd = System.nanoTime();
    if (finite) {
      update();
    }
    long end = System.nanoTime();
    Times times =
        new Times(
            result.forwardSeconds(),
            result.backwardSeconds(),
            transform.isPresent() ? (transformEnd - backwardEnd) * 1e-9 : 0,
            (end - transformEnd) * 1e-9);
    History.Step step =
        new History.Step(
            index + 1,
            (index + 1) * epochsPerStep,
            history.seconds() + (end - start) * 1e-9,
            result.meanLoss(),
            result.accuracy(),
            times);
    history.steps().add(step);
    return step;
  }

  private void update() {
    Map<String, NDArray> gradients = network.gradients();
    try {
      optimizer.step(network.parameters(), gradients);
      gradients.values().forEach(gradient -> gradient.muli(0f)); // the next backward pass adds
    } finally {
      gradients.values().forEach(NDArray::close);
    }
  }

  /** Evaluates on all validation images. */
  History.Validation evaluate() {
    double lossSum = 0;
    int correct = 0;
    for (int from = 0; from < validationCount; from += EVALUATION_BATCH) {
      int to = Math.min(from + EVALUATION_BATCH, validationCount);
      validationReader.read(IntStream.range(from, to).toArray(), 0);
      Network.Result part = network.evaluate(validationReader);
      lossSum += part.lossSum();
      correct += part.correct();
    }
    History.Validation validation =
        new History.Validation(
            history.stepCount(),
            history.seconds(),
            lossSum / validationCount,
            (double) correct / validationCount);
    history.validations().add(validation);
    return validation;
  }

  /** All that a later process needs to continue with the same bits; views, not copies. */
  Checkpoint checkpoint() {
    return new Checkpoint(
        Arrays.views(network.parameters()),
        Arrays.views(optimizer.state()),
        transform.map(GradientTransform::state).orElse(Map.of()),
        history);
  }

  /** Continues from a checkpoint of a training with the same options. */
  void restore(Checkpoint checkpoint) {
    Arrays.restore(network.parameters(), checkpoint.weights());
    Arrays.restore(optimizer.state(), checkpoint.optimizer());
    transform.ifPresent(t -> t.restore(checkpoint.transform()));
    history = checkpoint.history();
  }

  @Override
  public void close() {
    transform.ifPresent(GradientTransform::close);
    network.close();
  }
}
