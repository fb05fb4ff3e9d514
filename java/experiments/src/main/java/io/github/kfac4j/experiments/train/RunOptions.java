package io.github.kfac4j.experiments.train;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import io.github.kfac4j.experiments.BadInputException;
import io.github.kfac4j.experiments.data.DatasetName;
import java.util.List;
import java.util.Objects;

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
 * @param hyperparameters of the optimizers
 * @param recipe what regularises training
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
    Hyperparameters hyperparameters,
    Recipe recipe,
    long seed,
    @JsonProperty("evaluate_every") long evaluateEvery,
    @JsonProperty("checkpoint_every") long checkpointEvery) {

  /** The backend that stands for the fastest one that works. */
  public static final String AUTO = "auto";

  /** What is used where the command line says nothing; {@code evaluateEvery} 0 means automatic. */
  public static RunOptions defaults(ModelName model) {
    return new RunOptions(
        DatasetName.FASHION_MNIST,
        null,
        model,
        List.of(OptimizerName.KFAC, OptimizerName.SGD, OptimizerName.ADAM),
        AUTO,
        256,
        100,
        null,
        null,
        Hyperparameters.defaults(model),
        Recipe.USUAL,
        1,
        0,
        500);
  }

  /**
   * Checks the values.
   *
   * @throws BadInputException naming the option and the value
   */
  public RunOptions {
    optimizers = List.copyOf(optimizers);
    recipe = recipe == null ? Recipe.USUAL : recipe; // a run of before it could be chosen
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
        "is an accuracy, which %s does not have; use --target-loss".formatted(model));
    require(
        targetLoss == null || targetLoss > 0 && Double.isFinite(targetLoss),
        "--target-loss",
        "must be positive, got " + targetLoss);
    require(target == null || targetLoss == null, "--target", "and --target-loss exclude another");
    require(evaluateEvery >= 0, "--evaluate-every", "must not be negative, got " + evaluateEvery);
    require(
        checkpointEvery >= 0, "--checkpoint-every", "must not be negative, got " + checkpointEvery);
  }

  private static void require(boolean ok, String option, String problem) {
    if (!ok) {
      throw new BadInputException(option + " " + problem);
    }
  }

  /** With an automatic {@code evaluateEvery} made concrete: about ten evaluations. */
  public RunOptions withConcreteIntervals() {
    long concrete = evaluateEvery > 0 ? evaluateEvery : Math.max(1, steps / 10);
    return with(backend, steps, concrete, target, targetLoss);
  }

  /** What regularises training on images with so many channels. */
  Recipe recipe(int channels) {
    return recipe.complete(model, channels);
  }

  /**
   * Checks the settings of the optimizers that are asked for.
   *
   * @throws BadInputException naming the first that is bad
   */
  public void requireSettings() {
    recipe.require(model);
    for (OptimizerName optimizer : optimizers) {
      if (optimizer == OptimizerName.SGD) {
        hyperparameters.momentum(optimizer, steps);
      }
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
    return with(backend, value, evaluateEvery, target, targetLoss);
  }

  /** To be trained to the end. */
  public RunOptions withoutTarget() {
    return with(backend, steps, evaluateEvery, null, null);
  }

  /** With the backend that was opened. */
  public RunOptions withBackend(String name) {
    return with(name, steps, evaluateEvery, target, targetLoss);
  }

  private RunOptions with(
      String newBackend,
      long newSteps,
      long newEvaluateEvery,
      Double newTarget,
      Double newTargetLoss) {
    return new RunOptions(
        data,
        dataDir,
        model,
        optimizers,
        newBackend,
        batch,
        newSteps,
        newTarget,
        newTargetLoss,
        hyperparameters,
        recipe,
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
    hyperparameters.requireSame(stored.hyperparameters);
    requireSame("--label-smoothing, --channel-norm, --augment", recipe, stored.recipe);
    if (hyperparameters.dependsOnSteps()) {
      requireSame("--steps", steps, stored.steps);
    }
    requireSame("--seed", seed, stored.seed);
  }

  static void requireSame(String option, Object asked, Object stored) {
    require(
        Objects.equals(asked, stored),
        option,
        "cannot change when a run is resumed: it was %s and is now %s".formatted(stored, asked));
  }
}
