package io.github.kfac4j.experiments.study.batchsize;

import io.github.kfac4j.experiments.BadInputException;
import io.github.kfac4j.experiments.study.trial.Halton;
import io.github.kfac4j.experiments.study.trial.Result;
import io.github.kfac4j.experiments.study.trial.SearchSpace;
import io.github.kfac4j.experiments.study.trial.Settings;
import io.github.kfac4j.experiments.study.trial.Study;
import io.github.kfac4j.experiments.study.trial.StudyReport;
import io.github.kfac4j.experiments.study.trial.Trial;
import io.github.kfac4j.experiments.train.OptimizerName;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The steps that optimizers need to a goal, tuned anew for every batch size (Shallue et al., 2019;
 * Zhang et al., 2019).
 *
 * @param optimizers to compare
 * @param batches sizes, ascending
 * @param points of the metaparameter space for each optimizer and batch size
 */
public record BatchSizeStudy(List<OptimizerName> optimizers, List<Integer> batches, int points)
    implements Study.Plan {
  /**
   * Checks the numbers.
   *
   * @throws BadInputException naming the option and the value
   */
  public BatchSizeStudy {
    if (points < 1) {
      throw new BadInputException("--trials must be positive, got " + points);
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
  public List<Trial> trials(Settings settings) {
    List<Trial> all = new ArrayList<>();
    for (int batch : batches) {
      for (OptimizerName optimizer : optimizers) {
        SearchSpace space = settings.spaces().get(optimizer);
        Halton halton = new Halton(space.searched().size(), settings.seed());
        for (int k = 0; k < points; k++) {
          all.add(new Trial(optimizer, batch, k, space.at(halton.point(k))));
        }
      }
    }
    return all;
  }

  @Override
  public boolean stopsBehindBest() {
    return true;
  }

  @Override
  public Map<String, String> facts() {
    return Map.of("study", name());
  }

  @Override
  public StudyReport report(List<Result> results, Settings settings) {
    List<ScalingCurve> curves = ScalingCurve.of(results, settings);
    BatchSizeReport report = new BatchSizeReport(curves, settings);
    String title =
        "Steps to %s: %s on %s".formatted(settings.goal(), settings.model(), settings.data());
    return new StudyReport(
        "steps.csv",
        title,
        report.findings(),
        ScalingPlot.png(curves, title),
        report.table(),
        BatchSizeReport.METHOD,
        report.tree());
  }
}
