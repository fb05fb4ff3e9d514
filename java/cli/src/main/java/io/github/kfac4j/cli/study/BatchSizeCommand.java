package io.github.kfac4j.cli.study;

import io.github.kfac4j.cli.common.ExitCode;
import io.github.kfac4j.cli.common.JsonOption;
import io.github.kfac4j.experiments.study.batchsize.BatchSizeStudy;
import io.github.kfac4j.experiments.study.search.Study;
import io.github.kfac4j.experiments.study.trial.SearchSpace;
import java.io.IOException;
import java.util.List;
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
public final class BatchSizeCommand implements Callable<Integer> {
  private static final List<Integer> BATCHES = List.of(32, 64, 128, 256, 512);

  @Spec private CommandSpec spec;
  @Mixin private StudyArguments arguments;

  @Option(
      names = "--trials",
      paramLabel = "K",
      defaultValue = "8",
      description =
          "Trials that do not diverge, for each optimizer and batch size (default: 8, for a first"
              + " look; the papers take 100).")
  private int trials;

  @Option(
      names = "--repeats",
      paramLabel = "R",
      defaultValue = "5",
      description =
          "Repetitions of the best trial with seeds of their own, of which medians and intervals are"
              + " made (default: 5).")
  private int repeats;

  @Mixin private JsonOption json;

  @Override
  public Integer call() throws IOException {
    Study.Plan plan =
        new BatchSizeStudy(arguments.optimizers(), arguments.batches(BATCHES), trials, repeats);
    StudyOutput output = new StudyOutput(spec.commandLine(), json.enabled());
    output.run(
        plan,
        arguments.settings(SearchSpace.Extent.ALL),
        arguments.jobs(spec),
        arguments.out(plan.name()));
    return ExitCode.OK;
  }
}
