package io.github.kfac4j.experiments.data;

/**
 * A data set, split.
 *
 * @param name as given to {@code --data}
 * @param source where it came from, for the user
 * @param split how training and validation images were chosen, for the user
 * @param train the training images
 * @param validation images never trained on
 */
public record Dataset(String name, String source, String split, Images train, Images validation) {
  /** Number of classes; the same for every data set here. */
  public static final int CLASSES = 10;

  /** One line: source, counts and split. */
  public String describe() {
    return "%s: %s; %,d training and %,d validation images (%s)"
        .formatted(name, source, train.count(), validation.count(), split);
  }
}
