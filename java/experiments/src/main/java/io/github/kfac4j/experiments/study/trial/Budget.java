package io.github.kfac4j.experiments.study.trial;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/**
 * How long a trial may take: as long as the longest of its lengths.
 *
 * @param lengths one at least
 */
public record Budget(List<Length> lengths) {
  /** As text, where nothing is said. */
  public static final String USUAL = "steps:400";

  /** Copies. */
  public Budget {
    lengths = List.copyOf(lengths);
  }

  /**
   * Reads {@code steps:N}, {@code epochs:X} or {@code adjusted:X}, or several with commas between
   * them.
   *
   * @throws io.github.kfac4j.experiments.BadInputException if that is not what the text is
   */
  public static Budget parse(String text) {
    return new Budget(Arrays.stream(text.split(",", -1)).map(Length::parse).toList());
  }

  /** The most steps of a trial with this batch size on a number of training images. */
  public long steps(int batch, int images) {
    return lengths.stream().mapToLong(length -> length.steps(batch, images)).max().orElseThrow();
  }

  /** In words. */
  public String describe() {
    return lengths.stream()
        .map(Length::describe)
        .collect(Collectors.joining(" or ", "", lengths.size() > 1 ? ", whichever is longer" : ""));
  }

  /** As on the command line. */
  @Override
  public String toString() {
    return lengths.stream().map(Length::toString).collect(Collectors.joining(","));
  }
}
