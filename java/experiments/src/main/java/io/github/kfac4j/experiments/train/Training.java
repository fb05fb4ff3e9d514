package io.github.kfac4j.experiments.train;

import static java.util.Arrays.copyOfRange;

import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.github.kfac4j.Kfac;
import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.experiments.data.BatchOrder;
import io.github.kfac4j.experiments.data.BatchReader;
import io.github.kfac4j.experiments.data.Dataset;
import io.github.kfac4j.experiments.data.Examples;
import io.github.kfac4j.experiments.data.Images;
import io.github.kfac4j.experiments.network.Network;
import io.github.kfac4j.experiments.network.Task;
import io.github.kfac4j.experiments.options.AdamConstants;
import io.github.kfac4j.experiments.options.Hyperparameters;
import io.github.kfac4j.experiments.options.KfacSettings;
import io.github.kfac4j.experiments.options.ModelName;
import io.github.kfac4j.experiments.options.OptimizerName;
import io.github.kfac4j.experiments.options.Recipe;
import io.github.kfac4j.experiments.options.RunOptions;
import io.github.kfac4j.experiments.options.WeightDecayText;
import io.github.kfac4j.experiments.train.History.Times;
import io.github.kfac4j.experiments.train.optimizer.Adam;
import io.github.kfac4j.experiments.train.optimizer.Sgd;
import io.github.kfac4j.safetensors.StoredTensor;
import io.github.kfac4j.trainer.WeightAverage;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/** One network in training with one optimizer: single steps, evaluation, saving and restoring. */
public final class Training implements AutoCloseable {
  private static final String AVERAGE = "average";

  private final Team team;
  private final ModelName model;
  private final Shape shape;
  private final int classes;
  private final Recipe recipe;
  private final Network network;
  private final Update update;
  private final Optional<WeightAverage> average;
  private final BatchOrder order;
  private final int parts;

  /** One for each part of a batch: K-FAC looks at the examples of all parts at the end. */
  private final List<BatchReader> trainReaders;

  private final Dataset data;
  private final Evaluator validation;

  /** Where the goal is looked for on training examples; else null. */
  private final Evaluator sample;

  private final double epochsPerStep;
  private History history = new History();

  /** Starts from the initial weights; {@code backend} is used for K-FAC and stays the caller's. */
  public Training(
      OptimizerName name, RunOptions options, Dataset data, Backend backend, Team team) {
    this.team = team;
    Examples examples = data.train();
    model = options.workload().model();
    shape = new Shape(examples.shape());
    classes = examples.classes();
    recipe = options.recipe(examples instanceof Images images ? images.channels() : 0);
    network = new Network(model, classes, shape, recipe, options.seed());
    boolean preconditions = name.approximation().isPresent();
    Hyperparameters hyperparameters = options.hyperparameters();
    update =
        preconditions
            ? new KfacUpdate(network, options, name, backend, team)
            : new PlainUpdate(
                network,
                name == OptimizerName.ADAM
                    ? adam(hyperparameters.adam(), network)
                    : new Sgd(
                        network.parameters(),
                        network.manager(),
                        hyperparameters.momentum(name, options.steps())),
                hyperparameters.learningRate(name, options.steps()),
                WeightDecayText.value(hyperparameters.weightDecay()),
                team,
                options.batch());
    average =
        Optional.ofNullable(hyperparameters.average())
            .map(decay -> new WeightAverage(Arrays.hostViews(network.parameters()), decay));
    order = new BatchOrder(examples.count(), options.batch(), options.seed());
    parts = preconditions ? KfacSettings.of(options, name).microBatches() : 1;
    Task task = network.task();
    int size = options.batch() / parts;
    trainReaders =
        Stream.generate(
                () ->
                    task.reader(BatchReader.training(data, size, recipe.augment(), options.seed())))
            .limit(parts)
            .toList();
    this.data = data;
    validation = evaluator(data.validation());
    sample = options.goal().onTraining() ? evaluator(data.trainingSample()) : null;
    epochsPerStep = 1.0 / order.batchesPerEpoch();
  }

  private static Adam adam(AdamConstants constants, Network network) {
    return new Adam(
        constants.beta1(),
        constants.beta2(),
        constants.epsilon(),
        network.parameters(),
        network.manager());
  }

  public History history() {
    return history;
  }

  /**
   * Trains on the next batch; if its loss is not finite, the weights stay as they are.
   *
   * @throws TrainingFailedException if the gradients cannot be used; the weights are unchanged
   */
  public History.Step step() {
    long start = System.nanoTime();
    long index = history.stepCount();
    Network.Result result = backward(index);
    long backwardEnd = System.nanoTime();
    boolean finite = Double.isFinite(result.lossSum());
    if (finite) {
      try (NDManager scope = network.manager().newSubManager()) {
        Network.Batch batch = network.batch(trainReaders.get(parts - 1), scope);
        update.apply(batch.inputs(), batch.targets(), index);
      }
      if (recipe.channelNorm()) {
        network.normaliseChannels();
      }
      average.ifPresent(WeightAverage::update);
    }
    long end = System.nanoTime();
    double kfac = finite ? update.kfacSeconds() : 0;
    Times times =
        new Times(
            result.forwardSeconds(),
            result.backwardSeconds(),
            kfac,
            (end - backwardEnd) * 1e-9 - kfac);
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

  /** Trains on the next batch and evaluates if it is time to; whether it was. */
  public boolean advance(RunOptions options) {
    long step = step().step();
    boolean due = step == options.steps() || step % options.evaluateEvery() == 0;
    if (due && history.failure().isEmpty()) {
      evaluate();
    }
    return due;
  }

  private Network.Result backward(long index) {
    int[] examples = order.indices(index);
    int size = examples.length / parts;
    Network.Result sum = null;
    for (int part = 0; part < parts; part++) {
      int[] batch = copyOfRange(examples, part * size, (part + 1) * size);
      BatchReader reader = trainReaders.get(part);
      reader.read(batch, team.start(size, team.rank()), team.start(size, team.rank() + 1), index);
      Network.Result result = network.backward(reader);
      sum = sum == null ? result : sum.plus(result);
    }
    return ofTeam(sum);
  }

  /** What all processes found together; the times are this process's. */
  private Network.Result ofTeam(Network.Result mine) {
    double[] sums = team.sum(mine.lossSum(), mine.correct(), mine.count());
    return new Network.Result(
        sums[0], sums[1], (int) sums[2], mine.forwardSeconds(), mine.backwardSeconds());
  }

  private Evaluator evaluator(Examples examples) {
    return new Evaluator(network, data, examples, team);
  }

  /** Evaluates on the validation examples, and on those of the goal; what it says of the first. */
  History.Validation evaluate() {
    History.Validation found = evaluate(validation);
    history.validations().add(found);
    if (sample != null) {
      history.trainings().add(evaluate(sample));
    }
    return found;
  }

  /** Measures what the network does at the end, on training and test examples. */
  void finish() {
    Examples test = data.test();
    history.finish(
        new History.Finals(
            evaluate(sample == null ? evaluator(data.trainingSample()) : sample),
            test == null ? null : evaluate(evaluator(test))));
  }

  private History.Validation evaluate(Evaluator evaluator) {
    average.ifPresent(WeightAverage::swap);
    Network.Result sum = ofTeam(evaluator.evaluate());
    average.ifPresent(WeightAverage::swap);
    return new History.Validation(
        history.stepCount(), history.seconds(), sum.meanLoss(), sum.accuracy());
  }

  /**
   * All that later processes need to continue with the same bits; views or copies. Called by all
   * processes.
   */
  public Checkpoint checkpoint() {
    Map<String, Map<String, StoredTensor>> state = new LinkedHashMap<>(update.state());
    average.ifPresent(a -> state.put(AVERAGE, a.toTensors()));
    return new Checkpoint(Arrays.views(network.arrays()), state, history);
  }

  /** Continues from a checkpoint of a training with the same options. */
  public void restore(Checkpoint checkpoint) {
    Arrays.restore(network.arrays(), checkpoint.weights());
    update.restore(checkpoint.state());
    average.ifPresent(a -> a.restore(checkpoint.state().getOrDefault(AVERAGE, Map.of())));
    history = checkpoint.history();
  }

  /** A network like the one in training, that nothing listens to. */
  public Network untrained() {
    return new Network(model, classes, shape, recipe, 0);
  }

  /** Gives another network the weights of the one in training. */
  public void copyWeights(Network other) {
    network.arrays().forEach((name, array) -> array.copyTo(other.arrays().get(name)));
  }

  /** The K-FAC that preconditions. */
  public Kfac kfac() {
    return ((KfacUpdate) update).kfac();
  }

  /** The names of the layers that it preconditions. */
  public List<String> preconditioned() {
    return ((KfacUpdate) update).layers();
  }

  @Override
  public void close() {
    update.close();
    network.close();
  }
}
