package io.github.kfac4j.experiments.train;

import io.github.kfac4j.experiments.BadInputException;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/** What {@code --kfac} says, as text by key. */
final class KfacText {
  /** The keys. */
  enum Key {
    FISHER,
    CONVENTION,
    DAMPING_MODE,
    FLATTENED,
    DECAY,
    INTERVALS,
    STALE,
    BURN_IN,
    EXAMPLES,
    MICRO_BATCHES,
    INVERSE,
    KL_CLIP,
    WARM_UP,
    LM,
    LM_BOUNDS,
    GAMMA,
    MOMENTUM_FIRST,
    MEMORY,
    QUADRATIC,
    RESCALE,
    ASSIGNMENT,
    WORKERS,
    PAYLOAD;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
  }

  private final Map<String, String> given;

  /**
   * Reads settings by name.
   *
   * @throws BadInputException naming the first that is unknown
   */
  KfacText(Map<String, String> given) {
    this.given = given;
    for (String key : given.keySet()) {
      if (Arrays.stream(Key.values()).noneMatch(known -> known.toString().equals(key))) {
        throw new BadInputException(
            "--kfac: unknown '%s'; known are %s".formatted(key, Arrays.toString(Key.values())));
      }
    }
  }

  boolean has(Key key) {
    return given.containsKey(key.toString());
  }

  /** The value in words; empty if there is none. */
  Optional<String> get(Key key) {
    return Optional.ofNullable(given.get(key.toString()));
  }

  /** The value by a function that refuses what it cannot read. */
  <T> Optional<T> get(Key key, Function<String, T> read) {
    try {
      return get(key).map(read);
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(
          "%s must be a number but is %s".formatted(key, get(key).orElseThrow()), e);
    }
  }

  /** The constant of an enum, written in small letters with hyphens. */
  <E extends Enum<E>> Optional<E> choice(Key key, Class<E> type) {
    return get(key)
        .map(
            text ->
                Arrays.stream(type.getEnumConstants())
                    .filter(value -> written(value).equals(text))
                    .findFirst()
                    .orElseThrow(
                        () ->
                            new IllegalArgumentException(
                                "%s must be one of %s but is %s"
                                    .formatted(
                                        key,
                                        Arrays.stream(type.getEnumConstants())
                                            .map(KfacText::written)
                                            .toList(),
                                        text))));
  }

  private static String written(Enum<?> value) {
    return value.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  boolean on(Key key) {
    String value = get(key).orElse("false");
    if (!value.equals("true") && !value.equals("false")) {
      throw new IllegalArgumentException(
          "%s must be true or false but is %s".formatted(key, value));
    }
    return value.equals("true");
  }

  /** Two numbers, written {@code A:B}. */
  String[] pair(Key key) {
    String[] pair = get(key).orElseThrow().split(":", 2);
    if (pair.length < 2) {
      throw new IllegalArgumentException("%s must be two numbers, A:B".formatted(key));
    }
    return pair;
  }
}
