package io.github.kfac4j.cli.study;

import io.github.kfac4j.experiments.BadInputException;
import io.github.kfac4j.experiments.OptionText;
import io.github.kfac4j.experiments.data.DatasetName;
import io.github.kfac4j.experiments.study.trial.Settings;
import io.github.kfac4j.experiments.train.ModelName;
import io.github.kfac4j.experiments.train.OptimizerName;
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
      description = "Network: mlp (default), simple-cnn, resnet8 or autoencoder.")
  private String model;

  @Option(
      names = "--optimizer",
      paramLabel = "NAME[,NAME...]",
      hideParamSyntax = true,
      split = ",",
      defaultValue = "kfac,sgd,adam",
      description = "Out of kfac, ekfac, diagonal, sgd, adam (default: kfac,sgd,adam).")
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

  @ArgGroup private Budget budget = new Budget();

  private static final class Budget {
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
          "Seed of initial weights, data order and search points, the same for all (default: 1).")
  private long seed;

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
  List<OptimizerName> optimizers() {
    return distinct(
        "--optimizer",
        optimizers.stream()
            .map(name -> OptionText.choice("--optimizer", OptimizerName.values(), name))
            .toList());
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

  /** The settings, with this range of momenta where the user gives none. */
  Settings settings(String usualMomentum) {
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
        budget.steps == null && budget.epochs == null ? Long.valueOf(400) : budget.steps,
        budget.epochs,
        evaluateEvery,
        search.spaces(network, usualMomentum),
        search.kfac(network),
        seed);
  }
}
