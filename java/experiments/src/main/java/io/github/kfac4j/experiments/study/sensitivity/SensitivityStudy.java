package io.github.kfac4j.experiments.study.sensitivity;

import io.github.kfac4j.experiments.BadInputException;
import io.github.kfac4j.experiments.study.trial.Result;
import io.github.kfac4j.experiments.study.trial.SearchSpace;
import io.github.kfac4j.experiments.study.trial.Settings;
import io.github.kfac4j.experiments.study.trial.Study;
import io.github.kfac4j.experiments.study.trial.StudyReport;
import io.github.kfac4j.experiments.study.trial.Trial;
import io.github.kfac4j.experiments.train.OptimizerName;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Which part of a grid of metaparameters reaches the goal, for each batch size (Ma et al., 2019).
 *
 * @param optimizers to compare
 * @param batches sizes, ascending
 * @param points along each range
 */
public record SensitivityStudy(List<OptimizerName> optimizers, List<Integer> batches, int points)
    implements Study.Plan {
  /**
   * Checks the numbers.
   *
   * @throws BadInputException naming the option and the value
   */
  public SensitivityStudy {
    if (points < 2) {
      throw new BadInputException("--grid must be at least 2, got " + points);
    }
  }

  @Override
  public String name() {
    return "sensitivity";
  }

  private Map<OptimizerName, Grid> grids(Settings settings) {
    Map<OptimizerName, Grid> grids = new EnumMap<>(OptimizerName.class);
    for (OptimizerName optimizer : optimizers) {
      grids.put(optimizer, Grid.of(optimizer, settings.spaces().get(optimizer), points));
    }
    return grids;
  }

  @Override
  public List<Trial> trials(Settings settings) {
    Map<OptimizerName, Grid> grids = grids(settings);
    List<Trial> all = new ArrayList<>();
    for (int batch : batches) {
      for (OptimizerName optimizer : optimizers) {
        SearchSpace space = settings.spaces().get(optimizer);
        int number = 0;
        for (double[] point : grids.get(optimizer).coordinates()) {
          all.add(new Trial(optimizer, batch, number++, space.at(point)));
        }
      }
    }
    return all;
  }

  @Override
  public boolean stopsBehindBest() {
    return false;
  }

  @Override
  public Map<String, String> facts() {
    Map<String, String> facts = new LinkedHashMap<>();
    facts.put("study", name());
    facts.put("--grid", Integer.toString(points));
    return facts;
  }

  @Override
  public StudyReport report(List<Result> results, Settings settings) {
    List<Region> regions = Region.of(results);
    SensitivityReport report =
        new SensitivityReport(regions, settings.goal(), settings.describeBudget());
    return new StudyReport(
        "sensitivity.csv",
        "What reaches %s: %s on %s".formatted(settings.goal(), settings.model(), settings.data()),
        report.findings(),
        regions.isEmpty() ? null : RegionMap.png(regions, grids(settings)),
        report.table(),
        SensitivityReport.METHOD,
        report.tree());
  }
}
