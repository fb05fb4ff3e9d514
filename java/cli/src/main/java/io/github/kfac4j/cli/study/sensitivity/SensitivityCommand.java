package io.github.kfac4j.cli.study.sensitivity;

import io.github.kfac4j.cli.BadInputException;
import io.github.kfac4j.cli.ExitCode;
import io.github.kfac4j.cli.JsonOption;
import io.github.kfac4j.cli.study.trial.Result;
import io.github.kfac4j.cli.study.trial.SearchSpace;
import io.github.kfac4j.cli.study.trial.Settings;
import io.github.kfac4j.cli.study.trial.Study;
import io.github.kfac4j.cli.study.trial.StudyArguments;
import io.github.kfac4j.cli.study.trial.StudyFolder;
import io.github.kfac4j.cli.study.trial.StudyOutput;
import io.github.kfac4j.cli.study.trial.Trial;
import io.github.kfac4j.cli.study.trial.TrialsCsv;
import io.github.kfac4j.cli.train.run.OptimizerName;
import java.io.IOException;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The subcommand {@code study sensitivity}. */
@Command(
    name = "sensitivity",
    mixinStandardHelpOptions = true,
    description = {
      "Trains on a grid of learning rates and, for K-FAC, dampings, for each batch size (Ma et al.,"
          + " 2019): which part of it reaches the goal within the budget of steps or epochs?",
      "Leaves sensitivity.csv (every trial), sensitivity.png (heat maps) and report.html in a"
          + " folder. Every finished trial is kept: after Ctrl-C or a crash the same command"
          + " continues."
    },
    sortOptions = false)
public final class SensitivityCommand implements Callable<Integer>, Study.Plan {
  private static final List<Integer> BATCHES = List.of(32, 128, 512);

  @Spec private CommandSpec spec;
  @Mixin private StudyArguments arguments;

  @Option(
      names = "--grid",
      paramLabel = "N",
      defaultValue = "4",
      description =
          "Points along each range (default: 4, for a first look; the paper takes 8). Two ranges at"
              + " most.")
  private int points;

  @Mixin private JsonOption json;

  @Override
  public Integer call() throws IOException {
    if (points < 2) {
      throw new BadInputException("--grid must be at least 2, got " + points);
    }
    StudyOutput output = new StudyOutput(spec.commandLine(), json.enabled());
    try (Study study = Study.open(arguments, this, arguments.out("sensitivity"), output.log())) {
      List<Result> results = study.run(this);
      Settings settings = study.settings();
      List<Region> regions = Region.of(results);
      SensitivityReport report =
          new SensitivityReport(regions, settings.goal(), settings.describeBudget());
      StudyFolder folder = study.folder();
      folder.write("sensitivity.csv", TrialsCsv.of(results));
      byte[] png = regions.isEmpty() ? null : RegionMap.png(regions, grids(settings));
      if (png != null) {
        folder.write("sensitivity.png", png);
      }
      String title =
          "What reaches %s: %s on %s".formatted(settings.goal(), settings.model(), settings.data());
      output.write(
          study,
          title,
          report.findings(),
          png,
          report.table(),
          SensitivityReport.METHOD,
          report.tree());
    }
    return ExitCode.OK;
  }

  private Map<OptimizerName, Grid> grids(Settings settings) {
    Map<OptimizerName, Grid> grids = new EnumMap<>(OptimizerName.class);
    for (OptimizerName optimizer : arguments.optimizers()) {
      grids.put(optimizer, Grid.of(optimizer, settings.spaces().get(optimizer), points));
    }
    return grids;
  }

  @Override
  public List<Trial> trials(Settings settings) {
    Map<OptimizerName, Grid> grids = grids(settings);
    List<Trial> all = new ArrayList<>();
    for (int batch : arguments.batches(BATCHES)) {
      for (OptimizerName optimizer : arguments.optimizers()) {
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
    facts.put("study", "sensitivity");
    facts.put("--grid", Integer.toString(points));
    return facts;
  }

  @Override
  public String momentum() {
    return "0.9";
  }
}
