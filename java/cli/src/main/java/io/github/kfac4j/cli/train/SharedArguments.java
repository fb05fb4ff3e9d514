package io.github.kfac4j.cli.train;

import io.github.kfac4j.experiments.OptionText;
import io.github.kfac4j.experiments.data.DatasetName;
import io.github.kfac4j.experiments.options.Goal;
import io.github.kfac4j.experiments.options.ModelName;
import io.github.kfac4j.experiments.options.Recipe;
import io.github.kfac4j.experiments.options.Workload;
import java.nio.file.Path;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The options that {@code train} and studies share, as given; null where the user said nothing. */
public final class SharedArguments {
  @Option(
      names = "--data",
      paramLabel = "NAME",
      description =
          "Data set: fashion-mnist (default), mnist, cifar10 or svhn; for a language model text"
              + " (its default) or lm1b.")
  private String data;

  @Option(
      names = "--data-dir",
      paramLabel = "DIR",
      description =
          "Folder with the data set's published files, of text with files *.txt. Default: Debian's dataset-fashion-mnist,"
              + " else a bundled subset of Fashion-MNIST.")
  private Path dataDir;

  @Option(
      names = "--model",
      paramLabel = "NAME",
      description =
          "Network: simple-cnn (default of train), mlp (default of studies), narrow-cnn, resnet8,"
              + " resnet20, resnet32, vgg11, alexnet or autoencoder; a language model: transformer or"
              + " narrow-transformer.")
  private String model;

  @Option(
      names = "--target",
      paramLabel = "ACCURACY",
      description =
          "The goal: this validation accuracy, for example 0.9, at which an optimizer stops"
              + " (default of studies: 0.8).")
  private Double accuracy;

  @Option(
      names = "--target-loss",
      paramLabel = "LOSS",
      description = "The goal: this validation loss, instead of --target.")
  private Double loss;

  @Mixin private RecipeArguments recipe = new RecipeArguments();

  @Option(
      names = "--backend",
      paramLabel = "NAME",
      description = "Backend of K-FAC: auto (default), java, cpu or cuda.")
  private String backend;

  @Option(
      names = "--seed",
      paramLabel = "N",
      description =
          "Seed of initial weights, data order and augmentation, the same for all optimizers and for"
              + " all trials of a search; repetitions take the next ones (default: 1).")
  private Long seed;

  /** The network, or {@code base}. */
  ModelName model(ModelName base) {
    return model == null ? base : OptionText.choice("--model", ModelName.values(), model);
  }

  /**
   * Network and data set, as in {@code base} where the user said nothing; the usual data of a
   * network that does not read those.
   */
  public Workload workload(Workload base) {
    ModelName network = model(base.model());
    boolean fits = network.text().isPresent() == base.data().isText();
    DatasetName usual = fits ? base.data() : Workload.usual(network).data();
    return new Workload(
        data == null ? usual : OptionText.choice("--data", DatasetName.values(), data),
        dataDir == null ? base.dataDir() : dataDir.toString(),
        network);
  }

  /** The goal, as in {@code base} where the user said nothing. */
  public Goal goal(Goal base) {
    return new Goal(
        accuracy == null ? base.accuracy() : accuracy,
        loss == null ? base.loss() : loss,
        base.on());
  }

  /** What regularises training, as in {@code base} where the user said nothing. */
  public Recipe recipe(Recipe base) {
    return recipe.over(base);
  }

  /** The backend, or {@code base}. */
  public String backend(String base) {
    return backend == null ? base : backend;
  }

  /** The seed, or {@code base}. */
  public long seed(long base) {
    return seed == null ? base : seed;
  }
}
