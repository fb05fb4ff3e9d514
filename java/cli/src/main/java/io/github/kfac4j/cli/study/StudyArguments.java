package io.github.kfac4j.cli.study;

import io.github.kfac4j.cli.train.SharedArguments;
import io.github.kfac4j.experiments.BadInputException;
import io.github.kfac4j.experiments.OptionText;
import io.github.kfac4j.experiments.options.Goal;
import io.github.kfac4j.experiments.options.ModelName;
import io.github.kfac4j.experiments.options.Recipe;
import io.github.kfac4j.experiments.options.RunOptions;
import io.github.kfac4j.experiments.options.Workload;
import io.github.kfac4j.experiments.study.search.Jobs;
import io.github.kfac4j.experiments.study.trial.Budget;
import io.github.kfac4j.experiments.study.trial.SearchSpace;
import io.github.kfac4j.experiments.study.trial.Settings;
import io.github.kfac4j.experiments.study.trial.StudyOptimizer;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;

/** The options that studies share. */
final class StudyArguments {
  @Mixin private SharedArguments shared = new SharedArguments();

  @Option(
      names = "--optimizer",
      paramLabel = "NAME[,NAME...]",
      hideParamSyntax = true,
      split = ",",
      defaultValue = "kfac,heavy-ball,adam",
      description =
          "Out of sgd, heavy-ball, adam-0, adam, kfac-0, kfac, ekfac-0, ekfac, diagonal-0 and diagonal"
              + " (0 is without momentum), each also as NAME-ema, which evaluates an average of the"
              + " weights (default: kfac,heavy-ball,adam).")
  private List<String> optimizers;

  @Option(
      names = "--batch",
      paramLabel = "N[,N...]",
      hideParamSyntax = true,
      split = ",",
      description = "Batch sizes (default: 32,64,128,256,512; of sensitivity 32,128,512).")
  private List<Integer> batches;

  @Option(
      names = "--target-on",
      paramLabel = "IMAGES",
      defaultValue = "validation",
      description =
          "Whose accuracy or loss the goal is: validation (default), or train, of the first training"
              + " images, as many as there are for validation, not augmented.")
  private String goalOn;

  @ArgGroup private Length length = new Length();

  /** The same budgets, by three options. */
  private static final class Length {
    private String budget = Budget.USUAL;

    @Option(
        names = "--budget",
        paramLabel = "UNIT:N[,...]",
        description =
            "How long a trial may take to reach the goal: steps:N, epochs:X or adjusted:X, passes"
                + " that grow with the batch size: (log2(batch / 128) + 1) X; of several the"
                + " longest (default: steps:400).")
    void budget(String text) {
      budget = text;
    }

    @Option(names = "--max-steps", paramLabel = "N", description = "The same as --budget steps:N.")
    void steps(long count) {
      budget = "steps:" + count;
    }

    @Option(
        names = "--max-epochs",
        paramLabel = "X",
        description = "The same as --budget epochs:X.")
    void epochs(double count) {
      budget = "epochs:" + count;
    }
  }

  @Option(
      names = "--evaluate-every",
      paramLabel = "IMAGES",
      defaultValue = "1024",
      description =
          "Training images between evaluations on the validation images, which decide whether the"
              + " goal is reached (default: 1024; at least one step).")
  private int evaluateEvery;

  @Mixin private SearchArguments search = new SearchArguments();

  @Option(
      names = "--search-seed",
      paramLabel = "N",
      defaultValue = "1",
      description = "Seed of the search points (default: 1).")
  private long searchSeed;

  @Option(
      names = "--divergence",
      paramLabel = "X",
      defaultValue = "1.1",
      description =
          "A trial whose loss over the last 10 steps is above X times that of the first has diverged"
              + " (default: 1.1).")
  private double divergence;

  @Option(
      names = "--run-to-end",
      description =
          "Train every trial to the end of its budget, so that none is cut behind a better one, and"
              + " measure it there: loss and accuracy on training images (those of --target-on train)"
              + " and on the test images.")
  private boolean runToEnd;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      description =
          "Folder of the study (default: batch-size or sensitivity). Repeat the command to continue it;"
              + " optimizers, batch sizes and trials can be added later.")
  private Path out;

  @Option(
      names = "--jobs",
      paramLabel = "N",
      defaultValue = "1",
      description =
          "Searches (one for each optimizer and batch size) that go on side by side, each in a process"
              + " of its own (default: 1, in this one). With OMP_NUM_THREADS=1 a process takes one core;"
              + " results are those of --jobs 1 with the same setting.")
  private int jobs;

  /** How many searches go on side by side, and how to start their processes. */
  Jobs jobs(CommandSpec study) {
    if (jobs < 1) {
      throw new BadInputException("--jobs must be positive, got " + jobs);
    }
    return jobs == 1 ? Jobs.ONE : new Jobs(jobs, WorkerCommand.line(study));
  }

  /** The folder, or the default. */
  Path out(String usual) {
    return out == null ? Path.of(usual) : out;
  }

  /** The optimizers in the order given. */
  List<StudyOptimizer> optimizers() {
    return distinct(
        "--optimizer",
        optimizers.stream().map(name -> StudyOptimizer.of("--optimizer", name)).toList());
  }

  /** The batch sizes, ascending. */
  List<Integer> batches(List<Integer> usual) {
    return distinct("--batch", batches == null ? usual : batches).stream().sorted().toList();
  }

  private static <T> List<T> distinct(String option, List<T> values) {
    if (values.stream().distinct().count() < values.size()) {
      throw new BadInputException("%s repeats a value: %s".formatted(option, values));
    }
    return values;
  }

  /** The settings; the extent says what is searched where the user says nothing. */
  Settings settings(SearchSpace.Extent extent) {
    Workload workload = shared.workload(Workload.usual(ModelName.MLP));
    ModelName network = workload.model();
    Goal goal =
        shared.goal(
            new Goal(null, null, OptionText.choice("--target-on", Goal.On.values(), goalOn)));
    if (!goal.given() && (!network.classifies() || network.text().isPresent())) {
      throw new BadInputException(
          network + " is not judged by its accuracy: give its goal by --target-loss");
    }
    return new Settings(
        workload,
        shared.backend(RunOptions.AUTO),
        goal.given() ? goal : Goal.usual(goal.on()),
        Budget.parse(length.budget),
        evaluateEvery,
        search.spaces(network, optimizers(), extent),
        search.kfac(network),
        shared.recipe(Recipe.USUAL),
        shared.seed(1),
        searchSeed,
        divergence,
        runToEnd);
  }
}
