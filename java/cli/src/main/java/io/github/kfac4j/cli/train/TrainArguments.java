package io.github.kfac4j.cli.train;

import io.github.kfac4j.experiments.BadInputException;
import io.github.kfac4j.experiments.OptionText;
import io.github.kfac4j.experiments.data.Dataset;
import io.github.kfac4j.experiments.options.ModelName;
import io.github.kfac4j.experiments.options.OptimizerName;
import io.github.kfac4j.experiments.options.RunOptions;
import java.util.List;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The options of {@code train} as given; null where the user said nothing. */
final class TrainArguments {
  @Mixin private SharedArguments shared = new SharedArguments();

  @Option(
      names = "--optimizer",
      paramLabel = "NAME[,NAME...]",
      hideParamSyntax = true,
      split = ",",
      description =
          "Optimizers to compare, in this order, out of kfac, ekfac, diagonal, sgd, adam"
              + " (default: kfac,sgd,adam).")
  private List<String> optimizers;

  @Option(
      names = "--batch",
      paramLabel = "N",
      description = "Images or sequences per step (default: 256).")
  private Integer batch;

  @ArgGroup private Length length = new Length();

  private static final class Length {
    @Option(
        names = "--steps",
        paramLabel = "N",
        description = "Steps per optimizer (default: 100).")
    private Long steps;

    @Option(
        names = "--epochs",
        paramLabel = "N",
        description = "Passes over the training images per optimizer, instead of --steps.")
    private Integer epochs;
  }

  @Mixin private HyperparameterArguments hyperparameters;

  @Option(
      names = "--evaluate-every",
      paramLabel = "N",
      description = "Steps between evaluations on the validation images (default: steps / 10).")
  private Long evaluateEvery;

  @Option(
      names = "--checkpoint-every",
      paramLabel = "N",
      description = "Steps between checkpoints (default: 500; 0: only at the end).")
  private Long checkpointEvery;

  /** What a new run starts from: the defaults of the model that is asked for. */
  RunOptions defaults() {
    return RunOptions.defaults(shared.model(ModelName.SIMPLE_CNN));
  }

  /** The options with {@code base} where the user said nothing; epochs are left to later. */
  RunOptions over(RunOptions base) {
    return new RunOptions(
        shared.workload(base.workload()),
        optimizers == null
            ? base.optimizers()
            : optimizers.stream()
                .map(name -> OptionText.choice("--optimizer", OptimizerName.values(), name))
                .toList(),
        shared.backend(base.backend()),
        batch == null ? base.batch() : batch,
        length.steps == null ? base.steps() : length.steps,
        shared.goal(base.goal()),
        hyperparameters.over(base.hyperparameters()),
        shared.recipe(base.recipe()),
        shared.seed(base.seed()),
        evaluateEvery == null ? base.evaluateEvery() : evaluateEvery,
        checkpointEvery == null ? base.checkpointEvery() : checkpointEvery);
  }

  /**
   * The options with steps instead of epochs, if epochs were given.
   *
   * @throws BadInputException if a batch is larger than the data, or epochs are not positive
   */
  RunOptions withEpochs(RunOptions options, Dataset data) {
    int count = data.train().count();
    if (options.batch() > count) {
      throw new BadInputException(
          "--batch %d is more than the %d training %s"
              .formatted(options.batch(), count, data.train().unit()));
    }
    if (length.epochs == null) {
      return options;
    }
    if (length.epochs <= 0) {
      throw new BadInputException("--epochs must be positive, got " + length.epochs);
    }
    return options.withSteps((long) length.epochs * (count / options.batch()));
  }
}
