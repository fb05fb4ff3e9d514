package io.github.kfac4j.experiments.options;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import io.github.kfac4j.experiments.BadInputException;

/**
 * What regularises training, whatever the optimizer; null where the usual of the network is meant.
 *
 * @param labelSmoothing the part of the target that is spread over all classes, in [0, 1); 0 for
 *     none
 * @param channelNorm whether the weights of every output channel of a convolution are divided by
 *     their norm after each step, in place of weight decay (Zhang et al., 2019)
 * @param augment whether training images are flipped and shifted at random
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record Recipe(
    @JsonProperty("label_smoothing") Double labelSmoothing,
    @JsonProperty("channel_norm") Boolean channelNorm,
    Boolean augment) {
  /** The usual one of each network. */
  public static final Recipe USUAL = new Recipe(null, null, null);

  /**
   * Checks the value.
   *
   * @throws BadInputException naming the option and the value
   */
  public Recipe {
    if (labelSmoothing != null && !(labelSmoothing >= 0 && labelSmoothing < 1)) {
      throw new BadInputException("--label-smoothing must be in [0, 1), got " + labelSmoothing);
    }
  }

  /**
   * With the usual of a network where nothing is said: ResNet32 and VGG11 as Zhang et al. (2019)
   * have them; images with colours are augmented.
   *
   * @param channels of the images
   */
  Recipe complete(ModelName model, int channels) {
    boolean regularised = model == ModelName.RESNET32 || model == ModelName.VGG11;
    boolean augmented = channels > 1 && model.classifies();
    return new Recipe(
        labelSmoothing == null ? (regularised ? 0.1 : 0) : labelSmoothing,
        channelNorm == null ? regularised : channelNorm,
        augment == null ? augmented : augment);
  }

  /** Checks that a network can be trained with it. */
  void require(ModelName model) {
    if (model.text().isPresent() && Boolean.TRUE.equals(augment)) {
      throw new BadInputException(
          "--augment: %s reads text, which is not augmented".formatted(model));
    }
    if (model.classifies()) {
      return;
    }
    if (labelSmoothing != null && labelSmoothing > 0) {
      throw new BadInputException("--label-smoothing: %s has no labels".formatted(model));
    }
    if (Boolean.TRUE.equals(augment)) {
      throw new BadInputException(
          "--augment: %s reconstructs its images, which are never augmented".formatted(model));
    }
  }
}
