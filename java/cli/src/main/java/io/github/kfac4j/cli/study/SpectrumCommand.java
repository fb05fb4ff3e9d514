package io.github.kfac4j.cli.study;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.cli.common.ExitCode;
import io.github.kfac4j.cli.common.JsonOption;
import io.github.kfac4j.cli.common.KnownBackends;
import io.github.kfac4j.cli.train.HyperparameterArguments;
import io.github.kfac4j.cli.train.SharedArguments;
import io.github.kfac4j.experiments.BadInputException;
import io.github.kfac4j.experiments.data.Dataset;
import io.github.kfac4j.experiments.options.Goal;
import io.github.kfac4j.experiments.options.ModelName;
import io.github.kfac4j.experiments.options.OptimizerName;
import io.github.kfac4j.experiments.options.Recipe;
import io.github.kfac4j.experiments.options.RunOptions;
import io.github.kfac4j.experiments.options.Workload;
import io.github.kfac4j.experiments.study.report.StudyReport;
import io.github.kfac4j.experiments.study.search.StoredStudy;
import io.github.kfac4j.experiments.study.spectrum.SpectrumStudy;
import io.github.kfac4j.experiments.train.History;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The subcommand {@code study spectrum}. */
@Command(
    name = "spectrum",
    mixinStandardHelpOptions = true,
    description = {
      "Trains with K-FAC and measures, after some steps, the eigenvalues of its Fisher, and gradient"
          + " variance against curvature along its eigenvectors (Zhang et al., 2019, figures 9, 10 and"
          + " 12). With --target-loss, from 0 up, the noisy quadratic model predicts critical batch"
          + " sizes from each spectrum.",
      "Leaves spectrum-STEP.txt for 'nqm critical --spectrum', snapshots.csv, spectrum.csv,"
          + " directions.csv, pictures and report.html in a folder."
    },
    sortOptions = false)
public final class SpectrumCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;
  @Mixin private SharedArguments shared = new SharedArguments();

  @Option(
      names = "--at",
      paramLabel = "STEP[,STEP...]",
      hideParamSyntax = true,
      split = ",",
      defaultValue = "100,200,400,600,1000",
      description = "Steps after which to measure (default: 100,200,400,600,1000, the paper's).")
  private List<Long> at;

  @Option(
      names = "--batch",
      paramLabel = "N",
      defaultValue = "256",
      description = "Images per step (default: 256).")
  private int batch;

  @Option(
      names = "--examples",
      paramLabel = "N",
      defaultValue = "64",
      description =
          "Training images over which curvature and variance are measured, each with a backward pass"
              + " for each class (default: 64).")
  private int examples;

  @Mixin private HyperparameterArguments hyperparameters = new HyperparameterArguments();

  @Option(
      names = "--beside",
      paramLabel = "DIR",
      description = "Folder of a batch-size study, whose critical batch sizes are drawn beside.")
  private Path beside;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      defaultValue = "spectrum",
      description = "Folder of the results (default: spectrum).")
  private Path out;

  @Mixin private JsonOption json;

  @Override
  public Integer call() throws IOException {
    SpectrumStudy study = new SpectrumStudy(options(), at, examples);
    Dataset data = study.options().workload().load();
    if (batch > data.train().count()) {
      throw new BadInputException(
          "--batch %d is more than the %d training images".formatted(batch, data.train().count()));
    }
    try (Backend backend = KnownBackends.openOrBest(study.options().backend())) {
      StudyReport report = study.run(data, backend, out, beside, this::show);
      new StudyOutput(spec.commandLine(), json.enabled())
          .print(report, StoredStudy.facts(out), out, true);
    }
    return ExitCode.OK;
  }

  private RunOptions options() {
    Workload workload = shared.workload(Workload.usual(ModelName.NARROW_CNN));
    Goal goal = shared.goal(Goal.NONE);
    if (goal.accuracy() != null) {
      throw new BadInputException("--target: the model predicts from a loss, use --target-loss");
    }
    return new RunOptions(
        workload,
        List.of(OptimizerName.KFAC),
        shared.backend(RunOptions.AUTO),
        batch,
        at.get(at.size() - 1),
        goal,
        hyperparameters.over(SpectrumStudy.usual(workload.model())),
        shared.recipe(Recipe.USUAL),
        shared.seed(1),
        at.get(at.size() - 1),
        0);
  }

  private void show(History history) {
    History.Step step = history.steps().get(history.steps().size() - 1);
    if (at.contains(step.step())) {
      PrintWriter log = spec.commandLine().getErr();
      log.printf("step %d: loss %.4f, measuring%n", step.step(), step.loss());
      log.flush();
    }
  }
}
