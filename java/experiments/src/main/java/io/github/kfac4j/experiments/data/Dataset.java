package io.github.kfac4j.experiments.data;

/**
 * A data set, split.
 *
 * @param name as given to {@code --data}
 * @param source where it came from, for the user
 * @param split how training and validation examples were chosen, for the user
 * @param train the training examples
 * @param validation examples never trained on
 * @param test examples that nothing is chosen by; null where validation took them
 */
public record Dataset(
    String name, String source, String split, Examples train, Examples validation, Examples test) {

  /** The first training examples, as many as there are for validation. */
  public Examples trainingSample() {
    return train.first(Math.min(train.count(), validation.count()));
  }

  /** One line: source, counts and split. */
  public String describe() {
    return "%s: %s; %,d training and %,d validation %s (%s)"
        .formatted(name, source, train.count(), validation.count(), train.unit(), split);
  }
}
