package io.github.kfac4j.cli.train.run;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import io.github.kfac4j.cli.BadInputException;
import io.github.kfac4j.cli.data.DatasetName;
import io.github.kfac4j.step.Schedule;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;

/**
 * Everything that determines a run; kept in {@code run.json} and in every checkpoint.
 *
 * @param data the data set
 * @param dataDir folder of the data set, or null to search
 * @param model the network
 * @param optimizers in the order in which they run
 * @param backend for K-FAC
 * @param batch images per step
 * @param steps per optimizer
 * @param target validation accuracy at which an optimizer stops, or null
 * @param targetLoss validation loss at which an optimizer stops, or null
 * @param learningRates by optimizer
 * @param learningRateSchedule what becomes of the learning rates during the run
 * @param dampings by optimizer with a Fisher
 * @param weightDecay kind and coefficient, or null
 * @param average decay of the average of the weights that is evaluated, or null
 * @param kfac further settings of K-FAC by name
 * @param seed of initial weights, data order and augmentation
 * @param evaluateEvery steps between evaluations on the validation images
 * @param checkpointEvery steps between checkpoints; 0 for none before the end
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record RunOptions(
    DatasetName data,
    @JsonProperty("data_dir") String dataDir,
    ModelName model,
    List<OptimizerName> optimizers,
    String backend,
    int batch,
    long steps,
    Double target,
    @JsonProperty("target_loss") Double targetLoss,
    @JsonProperty("learning_rates") Map<OptimizerName, Double> learningRates,
    @JsonProperty("learning_rate_schedule") String learningRateSchedule,
    Map<OptimizerName, Double> dampings,
    @JsonProperty("weight_decay") String weightDecay,
    Double average,
    Map<String, String> kfac,
    long seed,
    @JsonProperty("evaluate_every") long evaluateEvery,
    @JsonProperty("checkpoint_every") long checkpointEvery) {

  /** The backend that stands for the fastest one that works. */
  public static final String AUTO = "auto";

  /** The learning rate schedule that does nothing. */
  public static final String CONSTANT = "constant";

  private static final Map<OptimizerName, Double> AUTOENCODER_RATES =
      rates(0.05, 0.1, 0.1, 1e-3, 1e-3);

  private static final Map<OptimizerName, Double> AUTOENCODER_DAMPINGS =
      Map.of(OptimizerName.KFAC, 0.3, OptimizerName.EKFAC, 10.0, OptimizerName.DIAGONAL, 10.0);

  /** Its loss is a sum over pixels: steps have to be bounded. */
  private static final Map<String, String> AUTOENCODER_KFAC =
      Map.of("fisher", "mc", "kl-clip", "1");

  /** What is used where the command line says nothing; {@code evaluateEvery} 0 means automatic. */
  public static final RunOptions DEFAULT =
      new RunOptions(
          DatasetName.FASHION_MNIST,
          null,
          ModelName.SIMPLE_CNN,
          List.of(OptimizerName.KFAC, OptimizerName.SGD, OptimizerName.ADAM),
          AUTO,
          256,
          100,
          null,
          null,
          rates(0.003, 0.005, 1e-3, 0.03, 1e-3),
          CONSTANT,
          Map.of(OptimizerName.KFAC, 1e-2, OptimizerName.EKFAC, 3e-2, OptimizerName.DIAGONAL, 1e-2),
          null,
          null,
          Map.of(),
          1,
          0,
          500);

  private static Map<OptimizerName, Double> rates(
      double kfac, double ekfac, double diagonal, double sgd, double adam) {
    return Map.of(
        OptimizerName.KFAC, kfac,
        OptimizerName.EKFAC, ekfac,
        OptimizerName.DIAGONAL, diagonal,
        OptimizerName.SGD, sgd,
        OptimizerName.ADAM, adam);
  }

  /** What is used for a model; where rates of labels do not fit, for the autoencoder, others. */
  public static RunOptions defaults(ModelName model) {
    RunOptions d = DEFAULT;
    boolean labels = model.classifies();
    return new RunOptions(
        d.data,
        d.dataDir,
        model,
        d.optimizers,
        d.backend,
        d.batch,
        d.steps,
        d.target,
        d.targetLoss,
        labels ? d.learningRates : AUTOENCODER_RATES,
        d.learningRateSchedule,
        labels ? d.dampings : AUTOENCODER_DAMPINGS,
        d.weightDecay,
        d.average,
        labels ? d.kfac : AUTOENCODER_KFAC,
        d.seed,
        d.evaluateEvery,
        d.checkpointEvery);
  }

  /**
   * Checks the values.
   *
   * @throws BadInputException naming the option and the value
   */
  public RunOptions {
    optimizers = List.copyOf(optimizers);
    learningRates = new TreeMap<>(learningRates);
    dampings = new TreeMap<>(dampings);
    kfac = new TreeMap<>(kfac);
    require(!optimizers.isEmpty(), "--optimizer", "is empty");
    require(
        optimizers.stream().distinct().count() == optimizers.size(),
        "--optimizer",
        "repeats an optimizer: " + optimizers);
    require(batch > 0, "--batch", "must be positive, got " + batch);
    require(steps > 0, "--steps", "must be positive, got " + steps);
    require(
        target == null || target > 0 && target <= 1,
        "--target",
        "must be an accuracy in (0, 1], got " + target);
    require(
        target == null || model.classifies(),
        "--target",
        "is an accuracy, which %s has not; use --target-loss".formatted(model));
    require(
        targetLoss == null || targetLoss > 0 && Double.isFinite(targetLoss),
        "--target-loss",
        "must be positive, got " + targetLoss);
    require(target == null || targetLoss == null, "--target", "and --target-loss exclude another");
    learningRates.forEach((name, rate) -> requirePositive("--lr", name, rate));
    dampings.forEach(
        (name, damping) -> {
          require(
              name.approximation().isPresent(), "--damping", "of %s has no use".formatted(name));
          requirePositive("--damping", name, damping);
        });
    require(
        average == null || average >= 0 && average < 1,
        "--average",
        "must be in [0, 1), got " + average);
    RuleParser.weightDecay(weightDecay);
    RuleParser.schedule(learningRateSchedule, 1, steps);
    require(evaluateEvery >= 0, "--evaluate-every", "must not be negative, got " + evaluateEvery);
    require(
        checkpointEvery >= 0, "--checkpoint-every", "must not be negative, got " + checkpointEvery);
  }

  private static void requirePositive(String option, OptimizerName name, double value) {
    require(
        value > 0 && Double.isFinite(value),
        option,
        "of %s must be positive, got %s".formatted(name, value));
  }

  private static void require(boolean ok, String option, String problem) {
    if (!ok) {
      throw new BadInputException(option + " " + problem);
    }
  }

  /** With an automatic {@code evaluateEvery} made concrete: about ten evaluations. */
  public RunOptions withConcreteIntervals() {
    return with(backend, steps, evaluateEvery > 0 ? evaluateEvery : Math.max(1, steps / 10));
  }

  /** The learning rate of an optimizer in each step. */
  Schedule schedule(OptimizerName optimizer) {
    return RuleParser.schedule(learningRateSchedule, learningRates.get(optimizer), steps);
  }

  /**
   * Checks the settings of K-FAC for the optimizers that are asked for.
   *
   * @throws BadInputException naming the first that is bad
   */
  public void requireSettings() {
    for (OptimizerName optimizer : optimizers) {
      if (optimizer.approximation().isPresent()) {
        int parts = KfacSettings.of(this, optimizer).microBatches();
        require(
            parts > 0 && batch % parts == 0,
            "--kfac",
            "micro-batches must divide the batch of %d, got %d".formatted(batch, parts));
      }
    }
  }

  /**
   * Checks that so many ranks can share a run.
   *
   * @throws BadInputException naming the option that does not fit
   */
  public void requireShareable(int ranks) {
    if (ranks > 1) {
      Sharing.require(this);
      for (OptimizerName optimizer : optimizers) {
        boolean split = optimizer.approximation().isPresent();
        int part = split ? batch / KfacSettings.of(this, optimizer).microBatches() : batch;
        require(
            part >= ranks,
            "--batch",
            "leaves %d images a pass for %d ranks; each needs one".formatted(part, ranks));
      }
    }
  }

  /** With another number of steps. */
  public RunOptions withSteps(long value) {
    return with(backend, value, evaluateEvery);
  }

  /** With the backend that was opened. */
  public RunOptions withBackend(String name) {
    return with(name, steps, evaluateEvery);
  }

  private RunOptions with(String newBackend, long newSteps, long newEvaluateEvery) {
    return new RunOptions(
        data,
        dataDir,
        model,
        optimizers,
        newBackend,
        batch,
        newSteps,
        target,
        targetLoss,
        learningRates,
        learningRateSchedule,
        dampings,
        weightDecay,
        average,
        kfac,
        seed,
        newEvaluateEvery,
        checkpointEvery);
  }

  /**
   * Checks that a resumed run asks for the same training; how long, how often it is evaluated and
   * saved may change.
   *
   * @throws BadInputException naming the first option that differs
   */
  public void requireSameTraining(RunOptions stored) {
    requireSame("--data", data, stored.data);
    requireSame("--data-dir", dataDir, stored.dataDir);
    requireSame("--model", model, stored.model);
    requireSame("--optimizer", optimizers, stored.optimizers);
    requireSame("--backend", backend, stored.backend);
    requireSame("--batch", batch, stored.batch);
    requireSame("--lr", learningRates, stored.learningRates);
    requireSame("--lr-schedule", learningRateSchedule, stored.learningRateSchedule);
    if (!learningRateSchedule.equals(CONSTANT)) {
      requireSame("--steps", steps, stored.steps);
    }
    requireSame("--damping", dampings, stored.dampings);
    requireSame("--weight-decay", weightDecay, stored.weightDecay);
    requireSame("--average", average, stored.average);
    requireSame("--kfac", kfac, stored.kfac);
    requireSame("--seed", seed, stored.seed);
  }

  private static void requireSame(String option, Object asked, Object stored) {
    require(
        Objects.equals(asked, stored),
        option,
        "cannot change when a run is resumed: it was %s, asked is %s".formatted(stored, asked));
  }
}
