package io.github.kfac4j.cli.study;

import io.github.kfac4j.cli.train.RecipeArguments;
import io.github.kfac4j.experiments.BadInputException;
import io.github.kfac4j.experiments.OptionText;
import io.github.kfac4j.experiments.data.DatasetName;
import io.github.kfac4j.experiments.study.trial.Budget;
import io.github.kfac4j.experiments.study.trial.Budget.Unit;
import io.github.kfac4j.experiments.study.trial.SearchSpace;
import io.github.kfac4j.experiments.study.trial.Settings;
import io.github.kfac4j.experiments.study.trial.StudyOptimizer;
import io.github.kfac4j.experiments.train.ModelName;
import io.github.kfac4j.experiments.train.Recipe;
import io.github.kfac4j.experiments.train.RunOptions;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The options that studies share. */
final class StudyArguments {
  @Option(
      names = "--data",
      paramLabel = "NAME",
      defaultValue = "fashion-mnist",
      description = "Data set: fashion-mnist (default), mnist or cifar10.")
  private String data;

  @Option(
      names = "--data-dir",
      paramLabel = "DIR",
      description =
          "Folder with the data set's published files. Default: Debian's dataset-fashion-mnist,"
              + " else a bundled subset of Fashion-MNIST.")
  private Path dataDir;

  @Option(
      names = "--model",
      paramLabel = "NAME",
      defaultValue = "mlp",
      description =
          "Network: mlp (default), simple-cnn, narrow-cnn, resnet8, resnet20, resnet32, vgg11, alexnet"
              + " or autoencoder.")
  private String model;

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

  @ArgGroup private Goal goal = new Goal();

  private static final class Goal {
    @Option(
        names = "--target",
        paramLabel = "ACCURACY",
        description = "The goal: this validation accuracy (default: 0.8).")
    private Double accuracy;

    @Option(
        names = "--target-loss",
        paramLabel = "LOSS",
        description = "The goal: this validation loss, instead of --target.")
    private Double loss;
  }

  @ArgGroup private Length length = new Length();

  private static final class Length {
    @Option(
        names = "--max-steps",
        paramLabel = "N",
        description = "Steps in which a trial has to reach the goal (default: 400).")
    private Long steps;

    @Option(
        names = "--max-epochs",
        paramLabel = "X",
        description = "Passes over the training images, instead of --max-steps.")
    private Double epochs;

    @Option(
        names = "--budget",
        paramLabel = "UNIT:N",
        description =
            "steps:N, epochs:X or adjusted:X, passes that grow with the batch size:"
                + " (log2(batch / 128) + 1) X.")
    private String text;

    Budget value() {
      if (text != null) {
        return Budget.parse(text);
      }
      return epochs != null
          ? new Budget(Unit.EPOCHS, epochs)
          : new Budget(Unit.STEPS, steps == null ? 400 : steps);
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
  @Mixin private RecipeArguments recipe = new RecipeArguments();

  @Option(
      names = "--backend",
      paramLabel = "NAME",
      defaultValue = RunOptions.AUTO,
      description = "Backend of K-FAC: auto (default), java, cpu or cuda.")
  private String backend;

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = "1",
      description =
          "Seed of initial weights and data order, the same for all trials of the search; repetitions"
              + " take the next ones (default: 1).")
  private long seed;

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
          "Train every trial to the end of its budget, for final losses, and so that none is cut"
              + " behind a better one.")
  private boolean runToEnd;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      description =
          "Folder of the study (default: batch-size or sensitivity). Repeat the command to continue it;"
              + " optimizers, batch sizes and trials can be added later.")
  private Path out;

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

  /** The settings; so much is searched where the user says nothing. */
  Settings settings(SearchSpace.Extent extent) {
    ModelName network = OptionText.choice("--model", ModelName.values(), model);
    boolean usualGoal = goal.accuracy == null && goal.loss == null && network.classifies();
    if (!usualGoal && goal.accuracy == null && goal.loss == null) {
      throw new BadInputException(network + " has no accuracy: give its goal by --target-loss");
    }
    return new Settings(
        OptionText.choice("--data", DatasetName.values(), data),
        dataDir == null ? null : dataDir.toString(),
        network,
        backend,
        usualGoal ? Double.valueOf(0.8) : goal.accuracy,
        goal.loss,
        length.value(),
        evaluateEvery,
        search.spaces(network, optimizers(), extent),
        search.kfac(network),
        recipe.over(Recipe.USUAL),
        seed,
        searchSeed,
        divergence,
        runToEnd);
  }
}
