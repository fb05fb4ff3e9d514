package io.github.kfac4j.experiments.options;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonUnwrapped;
import io.github.kfac4j.experiments.BadInputException;
import java.util.List;
import java.util.Objects;

/**
 * Everything that determines a run; kept in {@code run.json} and in every checkpoint.
 *
 * @param workload network and data set
 * @param optimizers in the order in which they run
 * @param backend for K-FAC
 * @param batch images per step
 * @param steps per optimizer
 * @param goal at which an optimizer stops
 * @param hyperparameters of the optimizers
 * @param recipe what regularises training
 * @param seed of initial weights, data order and augmentation
 * @param evaluateEvery steps between evaluations on the validation images
 * @param checkpointEvery steps between checkpoints; 0 for none before the end
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record RunOptions(
    @JsonUnwrapped Workload workload,
    List<OptimizerName> optimizers,
    String backend,
    int batch,
    long steps,
    @JsonUnwrapped Goal goal,
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
        Workload.usual(model),
        List.of(OptimizerName.KFAC, OptimizerName.SGD, OptimizerName.ADAM),
        AUTO,
        256,
        100,
        Goal.NONE,
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
    recipe = recipe == null ? Recipe.USUAL : recipe; // a run from before it could be chosen
    require(!optimizers.isEmpty(), "--optimizer", "is empty");
    require(
        optimizers.stream().distinct().count() == optimizers.size(),
        "--optimizer",
        "repeats an optimizer: " + optimizers);
    require(batch > 0, "--batch", "must be positive, got " + batch);
    require(steps > 0, "--steps", "must be positive, got " + steps);
    goal.require(workload.model());
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
    return with(backend, steps, concrete, goal);
  }

  /** What regularises training on images with a number of channels. */
  public Recipe recipe(int channels) {
    return recipe.complete(workload.model(), channels);
  }

  /**
   * Checks the settings of the optimizers that are asked for.
   *
   * @throws BadInputException naming the first that is bad
   */
  public void requireSettings() {
    recipe.require(workload.model());
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
   * Checks that a number of ranks can share a run.
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
    return with(backend, value, evaluateEvery, goal);
  }

  /** With the backend that was opened. */
  public RunOptions withBackend(String name) {
    return with(name, steps, evaluateEvery, goal);
  }

  private RunOptions with(String newBackend, long newSteps, long newEvaluateEvery, Goal newGoal) {
    return new RunOptions(
        workload,
        optimizers,
        newBackend,
        batch,
        newSteps,
        newGoal,
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
    requireSame("--data", workload.data(), stored.workload.data());
    requireSame("--data-dir", workload.dataDir(), stored.workload.dataDir());
    requireSame("--model", workload.model(), stored.workload.model());
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
