package io.github.kfac4j.cli.study;

import io.github.kfac4j.cli.common.ExitCode;
import io.github.kfac4j.cli.common.JsonOption;
import io.github.kfac4j.experiments.study.search.Study;
import io.github.kfac4j.experiments.study.sensitivity.SensitivityStudy;
import io.github.kfac4j.experiments.study.trial.SearchSpace;
import java.io.IOException;
import java.util.List;
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
public final class SensitivityCommand implements Callable<Integer> {
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
    Study.Plan plan =
        new SensitivityStudy(arguments.optimizers(), arguments.batches(BATCHES), points);
    StudyOutput output = new StudyOutput(spec.commandLine(), json.enabled());
    output.run(
        plan,
        arguments.settings(SearchSpace.Extent.RATE_AND_DAMPING),
        arguments.jobs(spec),
        arguments.out(plan.name()));
    return ExitCode.OK;
  }
}
