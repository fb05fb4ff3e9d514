package io.github.kfac4j.experiments.study.trial;

import io.github.kfac4j.experiments.BadInputException;
import io.github.kfac4j.experiments.data.DatasetName;
import io.github.kfac4j.experiments.train.ModelName;
import io.github.kfac4j.experiments.train.Recipe;
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
 * @param budget of a trial
 * @param evaluateEvery training images between evaluations
 * @param kfac further settings of K-FAC by name
 * @param recipe what regularises training
 * @param seed of initial weights and data order
 * @param searchSeed of search points
 * @param divergence a trial whose last loss is above so many times its first counts as divergent
 * @param runToEnd whether trials train on after the goal, and behind better ones, to the end of the
 *     budget
 */
public record Settings(
    DatasetName data,
    String dataDir,
    ModelName model,
    String backend,
    Double target,
    Double targetLoss,
    Budget budget,
    int evaluateEvery,
    Map<StudyOptimizer, SearchSpace> spaces,
    Map<String, String> kfac,
    Recipe recipe,
    long seed,
    long searchSeed,
    double divergence,
    boolean runToEnd) {
  /** How the facts about one optimizer begin, which a study may lack that is continued with it. */
  static final String SEARCH_OF = "search of ";

  /**
   * Checks what the options of a run do not.
   *
   * @throws BadInputException naming the option and the value
   */
  public Settings {
    require(evaluateEvery > 0, "--evaluate-every must be positive, got " + evaluateEvery);
    require(divergence >= 1, "--divergence must be at least 1, got " + divergence);
  }

  private static void require(boolean ok, String problem) {
    if (!ok) {
      throw new BadInputException(problem);
    }
  }

  /** Steps between evaluations with this batch size: the goal is looked for after each. */
  public long interval(int batch) {
    return Math.max(1, Math.round((double) evaluateEvery / batch));
  }

  /**
   * The run that a trial is.
   *
   * @param limit steps after which it ends
   * @param budget steps of the whole budget, on which schedules depend
   */
  RunOptions run(Trial trial, long limit, long budget) {
    return new RunOptions(
        data,
        dataDir,
        model,
        List.of(trial.optimizer().rule()),
        backend,
        trial.batch(),
        limit,
        target,
        targetLoss,
        TrialSettings.of(trial, model, kfac, budget),
        recipe,
        seed + trial.repeat(),
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
        budget,
        evaluateEvery,
        spaces,
        kfac,
        recipe,
        seed,
        searchSeed,
        divergence,
        runToEnd);
  }

  /** The goal in words. */
  public String goal() {
    return target != null
        ? "validation accuracy " + Digits.significant(target, 4)
        : "validation loss " + Digits.significant(targetLoss, 4);
  }

  /** Everything that a continued study must have in common with its beginning, by option. */
  public Map<String, String> facts() {
    Map<String, String> facts = new LinkedHashMap<>();
    facts.put("--model", model.toString());
    facts.put("--backend", backend);
    facts.put("--target", String.valueOf(target));
    facts.put("--target-loss", String.valueOf(targetLoss));
    facts.put("budget", budget.toString());
    facts.put("--evaluate-every", String.valueOf(evaluateEvery));
    facts.put("--seed", String.valueOf(seed));
    facts.put("--search-seed", String.valueOf(searchSeed));
    facts.put("--divergence", String.valueOf(divergence));
    facts.put("--run-to-end", String.valueOf(runToEnd));
    facts.put("--kfac", kfac.toString());
    facts.put("recipe", recipe.toString());
    spaces.forEach((optimizer, space) -> facts.put(SEARCH_OF + optimizer, space.toString()));
    return facts;
  }
}
