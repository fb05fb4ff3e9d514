package io.github.kfac4j.cli.train;

import io.github.kfac4j.cli.BadInputException;
import io.github.kfac4j.cli.data.Dataset;
import io.github.kfac4j.cli.data.DatasetName;
import io.github.kfac4j.cli.train.run.ModelName;
import io.github.kfac4j.cli.train.run.OptimizerName;
import io.github.kfac4j.cli.train.run.RunOptions;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Option;

/** The options of {@code train} as given; null where the user said nothing. */
final class TrainArguments {
  @Option(
      names = "--data",
      paramLabel = "NAME",
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
      description = "Network: simple-cnn (default), mlp, resnet8 or autoencoder.")
  private String model;

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
      names = "--backend",
      paramLabel = "NAME",
      description = "Backend of K-FAC: auto (default), java, cpu or cuda.")
  private String backend;

  @Option(names = "--batch", paramLabel = "N", description = "Images per step (default: 256).")
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

  @Option(
      names = "--target",
      paramLabel = "ACCURACY",
      description = "Stop an optimizer at this validation accuracy, for example 0.9.")
  private Double target;

  @Option(
      names = "--target-loss",
      paramLabel = "LOSS",
      description = "Stop an optimizer at this validation loss.")
  private Double targetLoss;

  @Option(
      names = "--lr",
      paramLabel = "RATE",
      description =
          "Learning rate of all optimizers, or of some: kfac=0.003,ekfac=0.005,diagonal=0.001,"
              + "sgd=0.03,adam=0.001 (the defaults).")
  private String learningRate;

  @Option(
      names = "--lr-schedule",
      paramLabel = "FORM",
      description =
          "What becomes of the learning rates: constant (default), linear:FACTOR or"
              + " polynomial:POWER until the end, or from parts of the run on:"
              + " 0.4=0.1,0.8=0.01.")
  private String learningRateSchedule;

  @Option(
      names = "--weight-decay",
      paramLabel = "FORM",
      description = "l2=COEFFICIENT, in the loss, or decoupled=COEFFICIENT (default: none).")
  private String weightDecay;

  @Option(
      names = "--average",
      paramLabel = "DECAY",
      description = "Evaluate the moving average of the weights, for example 0.99.")
  private Double average;

  @Option(
      names = "--damping",
      paramLabel = "LAMBDA",
      description =
          "Damping of K-FAC and its relatives, or of some: kfac=0.01,ekfac=0.03,diagonal=0.01"
              + " (the defaults; like those of --lr, others for the autoencoder).")
  private String damping;

  @Option(
      names = "--kfac",
      paramLabel = "SETTING=VALUE[,...]",
      hideParamSyntax = true,
      split = ",",
      description = {
        "More settings of K-FAC and its relatives:",
        "fisher=empirical (default), mc, exact or curvature-prop;",
        "intervals=FACTORS:INVERSES, steps (default: 10:10); stale=0.1, intervals that adapt;"
            + " burn-in=STEPS; examples=N, of each batch for the factors; micro-batches=N;",
        "warm-up=LAMBDA:STEPS, damping that starts there; lm=STEPS between adaptations of the"
            + " damping by Levenberg-Marquardt, gamma=STEPS likewise for that of the factors;",
        "kl-clip=KAPPA; momentum-first=true; quadratic=true, learning rate and momentum from the"
            + " exact quadratic model; rescale=true, weights kept to a norm;",
        "with several ranks: assignment=balanced (by cost, default), contiguous or round-robin;"
            + " workers=FRACTION of the ranks that precondition each layer (default: 0, one rank);"
            + " payload=fp32 (default) or fp16, how sums travel."
      })
  private Map<String, String> kfac;

  @Option(
      names = "--seed",
      paramLabel = "N",
      description = "Seed of initial weights, data order and augmentation (default: 1).")
  private Long seed;

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
    return model == null
        ? RunOptions.DEFAULT
        : RunOptions.defaults(parse("--model", ModelName.values(), model));
  }

  /** The options with {@code base} where the user said nothing; epochs are left to later. */
  RunOptions over(RunOptions base) {
    Map<OptimizerName, Double> rates = new TreeMap<>(base.learningRates());
    if (learningRate != null) {
      rates.putAll(PerOptimizer.parse("--lr", learningRate, List.of(OptimizerName.values())));
    }
    Map<OptimizerName, Double> dampings = new TreeMap<>(base.dampings());
    if (damping != null) {
      dampings.putAll(PerOptimizer.parse("--damping", damping, base.dampings().keySet()));
    }
    Map<String, String> settings = new TreeMap<>(base.kfac());
    if (kfac != null) {
      settings.putAll(kfac);
    }
    return new RunOptions(
        data == null ? base.data() : parse("--data", DatasetName.values(), data),
        dataDir == null ? base.dataDir() : dataDir.toString(),
        model == null ? base.model() : parse("--model", ModelName.values(), model),
        optimizers == null
            ? base.optimizers()
            : optimizers.stream()
                .map(name -> parse("--optimizer", OptimizerName.values(), name))
                .toList(),
        backend == null ? base.backend() : backend,
        batch == null ? base.batch() : batch,
        length.steps == null ? base.steps() : length.steps,
        target == null ? base.target() : target,
        targetLoss == null ? base.targetLoss() : targetLoss,
        rates,
        learningRateSchedule == null ? base.learningRateSchedule() : learningRateSchedule,
        dampings,
        weightDecay == null ? base.weightDecay() : weightDecay,
        average == null ? base.average() : average,
        settings,
        seed == null ? base.seed() : seed,
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
          "--batch %d is more than the %d training images".formatted(options.batch(), count));
    }
    if (length.epochs == null) {
      return options;
    }
    if (length.epochs <= 0) {
      throw new BadInputException("--epochs must be positive, got " + length.epochs);
    }
    return options.withSteps((long) length.epochs * (count / options.batch()));
  }

  /** The constant with this name on the command line. */
  static <T> T parse(String option, T[] known, String text) {
    return Arrays.stream(known)
        .filter(value -> value.toString().equals(text))
        .findFirst()
        .orElseThrow(
            () ->
                new BadInputException(
                    "%s: unknown '%s'; known are %s"
                        .formatted(option, text, Arrays.toString(known))));
  }
}
