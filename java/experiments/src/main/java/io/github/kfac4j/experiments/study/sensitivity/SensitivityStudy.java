package io.github.kfac4j.experiments.study.sensitivity;

import io.github.kfac4j.experiments.BadInputException;
import io.github.kfac4j.experiments.OptionText;
import io.github.kfac4j.experiments.study.report.Picture;
import io.github.kfac4j.experiments.study.report.StudyReport;
import io.github.kfac4j.experiments.study.search.Search;
import io.github.kfac4j.experiments.study.search.Study;
import io.github.kfac4j.experiments.study.trial.Result;
import io.github.kfac4j.experiments.study.trial.SearchSpace;
import io.github.kfac4j.experiments.study.trial.Settings;
import io.github.kfac4j.experiments.study.trial.StudyOptimizer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Which part of a grid of metaparameters reaches the goal, for each batch size (Ma et al., 2019).
 *
 * @param optimizers to compare
 * @param batches sizes, ascending
 * @param points along each range
 */
public record SensitivityStudy(List<StudyOptimizer> optimizers, List<Integer> batches, int points)
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

  /**
   * For the report of a finished study.
   *
   * @param facts what its folder says of it
   */
  public static SensitivityStudy stored(Map<String, String> facts) {
    Map<StudyOptimizer, SearchSpace> spaces = Settings.read(facts).spaces();
    return new SensitivityStudy(
        List.copyOf(spaces.keySet()),
        List.of(),
        (int) OptionText.number("--grid", facts.getOrDefault("--grid", "4")));
  }

  @Override
  public String name() {
    return "sensitivity";
  }

  @Override
  public String csvName() {
    return "sensitivity.csv";
  }

  private Map<StudyOptimizer, Grid> grids(Settings settings) {
    Map<StudyOptimizer, Grid> grids = new TreeMap<>();
    for (StudyOptimizer optimizer : optimizers) {
      grids.put(optimizer, Grid.of(optimizer, settings.spaces().get(optimizer), points));
    }
    return grids;
  }

  @Override
  public List<Search> searches(Settings settings) {
    Map<StudyOptimizer, Grid> grids = grids(settings);
    List<Search> all = new ArrayList<>();
    for (int batch : batches) {
      for (StudyOptimizer optimizer : optimizers) {
        SearchSpace space = settings.spaces().get(optimizer);
        List<double[]> grid = grids.get(optimizer).coordinates();
        all.add(
            new Search(
                optimizer,
                batch,
                number -> space.at(grid.get(number)),
                grid.size(),
                grid.size(),
                false,
                0));
      }
    }
    return all;
  }

  @Override
  public Map<String, String> facts() {
    Map<String, String> facts = new LinkedHashMap<>();
    facts.put("study", name());
    facts.put("--grid", Integer.toString(points));
    return facts;
  }

  @Override
  public StudyReport report(List<Result> results, Settings settings, int images) {
    List<Region> regions = Region.of(results);
    List<Horizon> horizons =
        settings.runToEnd()
            ? settings.budget().lengths().stream().map(l -> new Horizon(l, images)).toList()
            : List.of();
    SensitivityReport report = new SensitivityReport(regions, horizons, settings);
    List<Picture> pictures = new ArrayList<>();
    if (!regions.isEmpty()) {
      pictures.add(
          Picture.of("sensitivity", "Steps to the goal", RegionMap.png(regions, grids(settings))));
      for (Horizon horizon : horizons) {
        pictures.add(
            Picture.of(
                "after-" + horizon.length().toString().replace(':', '-'),
                "Validation after " + horizon.length().describe(),
                HorizonMap.png(regions, grids(settings), horizon, settings)));
      }
    }
    return new StudyReport(
        "What reaches %s: %s".formatted(settings.goalInWords(), settings.workload()),
        report.findings(),
        pictures,
        report.table(),
        SensitivityReport.METHOD,
        report.tree());
  }
}
