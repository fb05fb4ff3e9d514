package io.github.kfac4j.cli.train;

import io.github.kfac4j.experiments.options.Recipe;
import picocli.CommandLine.Option;

/** The options that regularise training, as given; null where the user said nothing. */
final class RecipeArguments {
  @Option(
      names = "--label-smoothing",
      paramLabel = "PART",
      description =
          "The part of the target that is spread over all classes (default: 0; of resnet32 and vgg11"
              + " 0.1).")
  private Double labelSmoothing;

  @Option(
      names = "--channel-norm",
      paramLabel = "true|false",
      arity = "1",
      description =
          "Divide the weights of every channel of a convolution by their norm after each step"
              + " (default: of resnet32 and vgg11).")
  private Boolean channelNorm;

  @Option(
      names = "--augment",
      paramLabel = "true|false",
      arity = "1",
      description = "Flip and shift training images at random (default: those with colours).")
  private Boolean augment;

  /** What the user said, with {@code base} where nothing. */
  Recipe over(Recipe base) {
    return new Recipe(
        labelSmoothing == null ? base.labelSmoothing() : labelSmoothing,
        channelNorm == null ? base.channelNorm() : channelNorm,
        augment == null ? base.augment() : augment);
  }
}
