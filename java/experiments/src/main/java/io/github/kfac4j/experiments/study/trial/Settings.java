package io.github.kfac4j.experiments.study.trial;

import io.github.kfac4j.experiments.BadInputException;
import io.github.kfac4j.experiments.OptionText;
import io.github.kfac4j.experiments.data.DatasetName;
import io.github.kfac4j.experiments.options.Goal;
import io.github.kfac4j.experiments.options.KfacText;
import io.github.kfac4j.experiments.options.ModelName;
import io.github.kfac4j.experiments.options.Recipe;
import io.github.kfac4j.experiments.options.RunOptions;
import io.github.kfac4j.experiments.options.Workload;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What all trials of a study share.
 *
 * @param workload network and data set
 * @param backend for K-FAC
 * @param goal to which trials train
 * @param budget of a trial
 * @param evaluateEvery training images between evaluations
 * @param kfac further settings of K-FAC
 * @param recipe what regularises training
 * @param seed of initial weights and data order
 * @param searchSeed of search points
 * @param divergence a trial whose last loss is more than this many times its first has diverged
 * @param runToEnd whether trials train on after the goal, and behind better ones, to the end of the
 *     budget
 */
public record Settings(
    Workload workload,
    String backend,
    Goal goal,
    Budget budget,
    int evaluateEvery,
    Map<StudyOptimizer, SearchSpace> spaces,
    KfacText kfac,
    Recipe recipe,
    long seed,
    long searchSeed,
    double divergence,
    boolean runToEnd) {
  /** How the facts about one optimizer begin, which a study may lack that is continued with it. */
  public static final String SEARCH_OF = "search of ";

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
  public RunOptions run(Trial trial, long limit, long budget) {
    return new RunOptions(
        workload,
        List.of(trial.optimizer().rule()),
        backend,
        trial.batch(),
        limit,
        goal,
        TrialSettings.of(trial, workload.model(), kfac, budget),
        recipe,
        seed + trial.repeat(),
        interval(trial.batch()),
        0);
  }

  /**
   * What has to be done for a trial.
   *
   * @param limit steps after which it ends
   * @param budget steps of the whole budget
   */
  public TrialTask task(Trial trial, long limit, long budget) {
    return new TrialTask(
        run(trial, limit, budget),
        TrialOutcome.values(trial),
        runToEnd,
        limit < budget,
        divergence);
  }

  /**
   * What reports need of the settings of a study, from its facts.
   *
   * @throws BadInputException if they are not those of a study
   */
  public static Settings read(Map<String, String> facts) {
    Map<StudyOptimizer, SearchSpace> spaces = new LinkedHashMap<>();
    facts.forEach(
        (option, value) -> {
          if (option.startsWith(SEARCH_OF)) {
            String name = option.substring(SEARCH_OF.length());
            spaces.put(StudyOptimizer.of(option, name), SearchSpace.parse(value));
          }
        });
    return new Settings(
        new Workload(
            OptionText.choice("data", DatasetName.values(), facts.get("data").split(":")[0]),
            null,
            OptionText.choice("--model", ModelName.values(), facts.get("--model"))),
        facts.get("--backend"),
        new Goal(
            number(facts, "--target"),
            number(facts, "--target-loss"),
            OptionText.choice("--target-on", Goal.On.values(), facts.get("--target-on"))),
        Budget.parse(facts.get("budget")),
        (int) OptionText.number("--evaluate-every", facts.get("--evaluate-every")),
        spaces,
        KfacText.NONE,
        Recipe.USUAL,
        (long) OptionText.number("--seed", facts.get("--seed")),
        (long) OptionText.number("--search-seed", facts.get("--search-seed")),
        OptionText.number("--divergence", facts.get("--divergence")),
        Boolean.parseBoolean(facts.get("--run-to-end")));
  }

  private static Double number(Map<String, String> facts, String option) {
    String text = facts.get(option);
    return text.equals("null") ? null : Double.valueOf(OptionText.number(option, text));
  }

  /** With the backend that was opened. */
  public Settings withBackend(String name) {
    return new Settings(
        workload,
        name,
        goal,
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

  /** Whether an evaluation on validation images is as good as the goal. */
  public boolean reached(Evaluation evaluation) {
    return goal.accuracy() != null
        ? evaluation.accuracy() != null && evaluation.accuracy() >= goal.accuracy()
        : evaluation.loss() != null && evaluation.loss() <= goal.loss();
  }

  /** The goal in words. */
  public String goalInWords() {
    return goal.accuracy() != null
        ? on() + " accuracy " + Digits.significant(goal.accuracy(), 4)
        : on() + " loss " + Digits.significant(goal.loss(), 4);
  }

  private String on() {
    return (goal.onTraining() ? Goal.On.TRAIN : Goal.On.VALIDATION).title();
  }

  /** Everything that a continued study must have in common with its beginning, by option. */
  public Map<String, String> facts() {
    Map<String, String> facts = new LinkedHashMap<>();
    facts.put("--model", workload.model().toString());
    facts.put("--backend", backend);
    facts.put("--target", String.valueOf(goal.accuracy()));
    facts.put("--target-loss", String.valueOf(goal.loss()));
    facts.put("--target-on", String.valueOf(goal.on()));
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
