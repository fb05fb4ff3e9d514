package io.github.kfac4j.experiments.study.batchsize;

import io.github.kfac4j.experiments.BadInputException;
import io.github.kfac4j.experiments.study.report.StudyReport;
import io.github.kfac4j.experiments.study.search.Search;
import io.github.kfac4j.experiments.study.search.SobolPoints;
import io.github.kfac4j.experiments.study.search.Study;
import io.github.kfac4j.experiments.study.trial.Result;
import io.github.kfac4j.experiments.study.trial.SearchSpace;
import io.github.kfac4j.experiments.study.trial.Settings;
import io.github.kfac4j.experiments.study.trial.StudyOptimizer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The steps that optimizers need to a goal, tuned anew for every batch size (Shallue et al., 2019;
 * Zhang et al., 2019).
 *
 * @param optimizers to compare
 * @param batches sizes, ascending
 * @param trials that do not diverge, for each optimizer and batch size
 * @param repeats of the best trial, with seeds of their own
 */
public record BatchSizeStudy(
    List<StudyOptimizer> optimizers, List<Integer> batches, int trials, int repeats)
    implements Study.Plan {
  /** Divergent trials are replaced until there are this many times as many as asked for. */
  private static final int MAX_TRIALS_FACTOR = 3;

  /** For the report of a finished study; nothing can be trained with it. */
  public static final BatchSizeStudy STORED = new BatchSizeStudy(List.of(), List.of(0, 0), 1, 0);

  /**
   * Checks the numbers.
   *
   * @throws BadInputException naming the option and the value
   */
  public BatchSizeStudy {
    if (trials < 1) {
      throw new BadInputException("--trials must be positive, got " + trials);
    }
    if (repeats < 0) {
      throw new BadInputException("--repeats must not be negative, got " + repeats);
    }
    if (batches.size() < 2) {
      throw new BadInputException("--batch needs two batch sizes at least");
    }
  }

  @Override
  public String name() {
    return "batch-size";
  }

  @Override
  public String csvName() {
    return "steps.csv";
  }

  @Override
  public List<Search> searches(Settings settings) {
    List<Search> all = new ArrayList<>();
    for (int batch : batches) {
      for (StudyOptimizer optimizer : optimizers) {
        SearchSpace space = settings.spaces().get(optimizer);
        SobolPoints points = new SobolPoints(space.searched().size(), settings.searchSeed());
        all.add(
            new Search(
                optimizer,
                batch,
                number -> space.at(points.point(number)),
                trials,
                MAX_TRIALS_FACTOR * trials,
                true,
                repeats));
      }
    }
    return all;
  }

  @Override
  public Map<String, String> facts() {
    return Map.of("study", name());
  }

  @Override
  public StudyReport report(List<Result> results, Settings settings, int images) {
    List<ScalingCurve> curves = ScalingCurve.of(results, settings);
    BatchSizeReport report = new BatchSizeReport(curves, settings);
    String title = "Steps to %s: %s".formatted(settings.goalInWords(), settings.workload());
    return new StudyReport(
        title,
        report.findings(),
        ScalingPlot.pictures(curves, title),
        report.table(),
        BatchSizeReport.METHOD,
        report.tree());
  }
}
