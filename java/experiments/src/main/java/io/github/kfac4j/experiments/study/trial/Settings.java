package io.github.kfac4j.experiments.study.trial;

import io.github.kfac4j.experiments.BadInputException;
import io.github.kfac4j.experiments.data.DatasetName;
import io.github.kfac4j.experiments.train.ModelName;
import io.github.kfac4j.experiments.train.OptimizerName;
import io.github.kfac4j.experiments.train.RunOptions;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What all trials of a study share.
 *
 * @param dataDir folder of the data set, or null to search
 * @param backend for K-FAC
 * @param target validation accuracy that is the goal, or null
 * @param targetLoss validation loss that is the goal, or null
 * @param maxSteps of a trial, or null
 * @param maxEpochs of a trial, or null; one of the two is given
 * @param evaluateEvery training images between evaluations
 * @param kfac further settings of K-FAC by name
 * @param seed of initial weights, data order and search points
 */
public record Settings(
    DatasetName data,
    String dataDir,
    ModelName model,
    String backend,
    Double target,
    Double targetLoss,
    Long maxSteps,
    Double maxEpochs,
    int evaluateEvery,
    Map<OptimizerName, SearchSpace> spaces,
    Map<String, String> kfac,
    long seed) {

  /**
   * Checks what the options of a run do not.
   *
   * @throws BadInputException naming the option and the value
   */
  public Settings {
    require(evaluateEvery > 0, "--evaluate-every must be positive, got " + evaluateEvery);
    require(maxSteps == null || maxSteps > 0, "--max-steps must be positive, got " + maxSteps);
    require(maxEpochs == null || maxEpochs > 0, "--max-epochs must be positive, got " + maxEpochs);
  }

  private static void require(boolean ok, String problem) {
    if (!ok) {
      throw new BadInputException(problem);
    }
  }

  /** The most steps of a trial with this batch size on so many training images. */
  public long budget(int batch, int images) {
    return maxSteps != null ? maxSteps : Math.max(1, Math.round(maxEpochs * images / batch));
  }

  /** Steps between evaluations with this batch size: the goal is looked for after each. */
  public long interval(int batch) {
    return Math.max(1, Math.round((double) evaluateEvery / batch));
  }

  /** The run that a trial is, of so many steps at most. */
  RunOptions run(Trial trial, long steps) {
    return new RunOptions(
        data,
        dataDir,
        model,
        List.of(trial.optimizer()),
        backend,
        trial.batch(),
        steps,
        target,
        targetLoss,
        SearchSpace.settings(model, trial.optimizer(), trial.values(), kfac),
        seed,
        interval(trial.batch()),
        0);
  }

  /** With the backend that was opened. */
  Settings withBackend(String name) {
    return new Settings(
        data,
        dataDir,
        model,
        name,
        target,
        targetLoss,
        maxSteps,
        maxEpochs,
        evaluateEvery,
        spaces,
        kfac,
        seed);
  }

  /** The goal in words. */
  public String goal() {
    return target != null
        ? "validation accuracy " + Digits.significant(target, 4)
        : "validation loss " + Digits.significant(targetLoss, 4);
  }

  /** The budget of a trial in words. */
  public String describeBudget() {
    return maxSteps != null ? maxSteps + " steps" : Digits.significant(maxEpochs, 4) + " epochs";
  }

  /** Everything that a continued study must have in common with its beginning, by option. */
  public Map<String, String> facts() {
    Map<String, String> facts = new LinkedHashMap<>();
    facts.put("--model", model.toString());
    facts.put("--backend", backend);
    facts.put("--target", String.valueOf(target));
    facts.put("--target-loss", String.valueOf(targetLoss));
    facts.put("--max-steps", String.valueOf(maxSteps));
    facts.put("--max-epochs", String.valueOf(maxEpochs));
    facts.put("--evaluate-every", String.valueOf(evaluateEvery));
    facts.put("--seed", String.valueOf(seed));
    for (Metaparameter metaparameter : Metaparameter.values()) {
      Map<OptimizerName, Range> ranges = new LinkedHashMap<>();
      spaces.forEach(
          (optimizer, space) -> {
            Range range = space.ranges().get(metaparameter);
            if (range != null) {
              ranges.put(optimizer, range);
            }
          });
      facts.put(metaparameter.option(), ranges.toString());
    }
    facts.put("--kfac", kfac.toString());
    return facts;
  }
}
