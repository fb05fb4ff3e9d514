package io.github.kfac4j.experiments.options;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import io.github.kfac4j.experiments.BadInputException;
import java.util.Locale;

/**
 * What a run is trained to; of accuracy and loss one at most.
 *
 * @param accuracy or null
 * @param loss or null
 * @param on the images of which it is; null stands for those of validation
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record Goal(
    @JsonProperty("target") Double accuracy,
    @JsonProperty("target_loss") Double loss,
    @JsonProperty("target_on") On on) {
  /** On which images a goal is looked for. */
  public enum On {
    /** The first training images, as many as there are for validation, as they are. */
    TRAIN("training"),
    /** The images of validation. */
    VALIDATION("validation");

    private final String title;

    On(String title) {
      this.title = title;
    }

    /** The name in titles. */
    public String title() {
      return title;
    }

    /** The name on the command line. */
    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /** Of a study of a network that classifies, where nothing is said: an accuracy of 0.8. */
  public static Goal usual(On on) {
    return new Goal(0.8, null, on);
  }

  /** Training ends with the last step only. */
  public static final Goal NONE = new Goal(null, null, null);

  /**
   * Checks the values.
   *
   * @throws BadInputException naming the option and the value
   */
  public Goal {
    if (accuracy != null && !(accuracy > 0 && accuracy <= 1)) {
      throw new BadInputException("--target must be an accuracy in (0, 1], got " + accuracy);
    }
    if (loss != null && !(loss > 0 && Double.isFinite(loss))) {
      throw new BadInputException("--target-loss must be positive, got " + loss);
    }
    if (accuracy != null && loss != null) {
      throw new BadInputException("--target and --target-loss exclude each other");
    }
  }

  /** Whether there is one. */
  public boolean given() {
    return accuracy != null || loss != null;
  }

  /** Whether it is looked for on training images. */
  public boolean onTraining() {
    return on == On.TRAIN;
  }

  /** Whether an evaluation with this accuracy and mean loss reached it. */
  public boolean reached(double reachedAccuracy, double reachedLoss) {
    return accuracy != null && reachedAccuracy >= accuracy || loss != null && reachedLoss <= loss;
  }

  /** Checks that a network can reach it. */
  void require(ModelName model) {
    if (accuracy != null && !model.classifies()) {
      throw new BadInputException(
          "--target is an accuracy, which %s does not have; use --target-loss".formatted(model));
    }
  }
}
