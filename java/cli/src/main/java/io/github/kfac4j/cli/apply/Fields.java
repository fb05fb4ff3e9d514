package io.github.kfac4j.cli.apply;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Objects;

/** Fields of the configuration, which are null where the file says nothing. */
final class Fields {
  private Fields() {}

  static <T> T require(String field, T value) {
    if (value == null) {
      throw new IllegalArgumentException("'" + field + "' is missing");
    }
    return value;
  }

  static <T> T orElse(T value, T other) {
    return value == null ? other : value;
  }

  /** Height and width. */
  static List<Integer> pair(String field, List<Integer> values) {
    if (values.size() != 2 || values.stream().anyMatch(Objects::isNull)) {
      throw new IllegalArgumentException(
          field + " must be [height, width] but is " + values.toString());
    }
    return values;
  }

  /** One of the names of an enum, in lower case; null for null. */
  static <E extends Enum<E>> E choice(String field, String name, Class<E> type) {
    if (name == null) {
      return null;
    }
    E[] values = type.getEnumConstants();
    return Arrays.stream(values)
        .filter(value -> id(value).equals(name))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "unknown %s '%s'; known are %s"
                        .formatted(field, name, Arrays.stream(values).map(Fields::id).toList())));
  }

  private static String id(Enum<?> value) {
    return value.name().toLowerCase(Locale.ROOT);
  }
}
