package io.github.kfac4j.experiments.data;

/**
 * A data set, split.
 *
 * @param name as given to {@code --data}
 * @param source where it came from, for the user
 * @param split how training and validation images were chosen, for the user
 * @param train the training images
 * @param validation images never trained on
 * @param test images that nothing is chosen by; null where validation took them
 */
public record Dataset(
    String name, String source, String split, Images train, Images validation, Images test) {

  /** Number of classes; the same for every data set here. */
  public static final int CLASSES = 10;

  /** The first training images, as many as there are for validation. */
  public Images trainingSample() {
    return train.slice(0, Math.min(train.count(), validation.count()));
  }

  /** One line: source, counts and split. */
  public String describe() {
    return "%s: %s; %,d training and %,d validation images (%s)"
        .formatted(name, source, train.count(), validation.count(), split);
  }
}
