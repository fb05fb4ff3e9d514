package io.github.kfac4j.cli.study.batchsize;

import io.github.kfac4j.cli.BadInputException;
import io.github.kfac4j.cli.ExitCode;
import io.github.kfac4j.cli.JsonOption;
import io.github.kfac4j.cli.study.trial.Halton;
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
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The subcommand {@code study batch-size}. */
@Command(
    name = "batch-size",
    mixinStandardHelpOptions = true,
    description = {
      "Measures how many steps optimizers need to a goal, tuned anew for every batch size (Shallue et"
          + " al., 2019; Zhang et al., 2019), and reads off the critical batch size.",
      "Leaves steps.csv (every trial), batch-size.png and report.html in a folder. Every finished"
          + " trial is kept: after Ctrl-C or a crash the same command continues."
    },
    sortOptions = false)
public final class BatchSizeCommand implements Callable<Integer>, Study.Plan {
  private static final List<Integer> BATCHES = List.of(32, 64, 128, 256, 512);

  @Spec private CommandSpec spec;
  @Mixin private StudyArguments arguments;

  @Option(
      names = "--trials",
      paramLabel = "K",
      defaultValue = "8",
      description =
          "Points of the metaparameter space for each optimizer and batch size (default: 8, for a"
              + " first look; the papers take 100).")
  private int trials;

  @Mixin private JsonOption json;

  @Override
  public Integer call() throws IOException {
    if (trials < 1) {
      throw new BadInputException("--trials must be positive, got " + trials);
    }
    if (arguments.batches(BATCHES).size() < 2) {
      throw new BadInputException("--batch needs two batch sizes at least");
    }
    StudyOutput output = new StudyOutput(spec.commandLine(), json.enabled());
    try (Study study = Study.open(arguments, this, arguments.out("batch-size"), output.log())) {
      List<Result> results = study.run(this);
      Settings settings = study.settings();
      List<ScalingCurve> curves = ScalingCurve.of(results, settings);
      BatchSizeReport report = new BatchSizeReport(curves, settings);
      StudyFolder folder = study.folder();
      folder.write("steps.csv", TrialsCsv.of(results));
      String title =
          "Steps to %s: %s on %s".formatted(settings.goal(), settings.model(), settings.data());
      byte[] png = ScalingPlot.png(curves, title);
      if (png != null) {
        folder.write("batch-size.png", png);
      }
      output.write(
          study,
          title,
          report.findings(),
          png,
          report.table(),
          BatchSizeReport.METHOD,
          report.tree());
    }
    return ExitCode.OK;
  }

  @Override
  public List<Trial> trials(Settings settings) {
    List<Trial> all = new ArrayList<>();
    for (int batch : arguments.batches(BATCHES)) {
      for (OptimizerName optimizer : arguments.optimizers()) {
        SearchSpace space = settings.spaces().get(optimizer);
        Halton points = new Halton(space.searched().size(), settings.seed());
        for (int k = 0; k < trials; k++) {
          all.add(new Trial(optimizer, batch, k, space.at(points.point(k))));
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
    return Map.of("study", "batch-size");
  }

  @Override
  public String momentum() {
    return "0:0.99";
  }
}
