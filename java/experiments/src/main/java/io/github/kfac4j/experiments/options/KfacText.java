package io.github.kfac4j.experiments.options;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import io.github.kfac4j.experiments.BadInputException;
import java.util.Arrays;
import java.util.Collections;
import java.util.EnumMap;
import java.util.Map;
import java.util.TreeMap;

/**
 * What {@code --kfac} says, as it was written; files keep it so.
 *
 * @param given the text of each setting that is given
 */
public record KfacText(Map<KfacKey, String> given) {
  /** Nothing. */
  public static final KfacText NONE = new KfacText(Map.of());

  /**
   * Copies.
   *
   * @throws BadInputException naming the setting that cannot be read
   */
  public KfacText {
    Map<KfacKey, String> copy = new EnumMap<>(KfacKey.class);
    copy.putAll(given);
    given = Collections.unmodifiableMap(copy);
    read(given);
  }

  /**
   * The settings of these names.
   *
   * @throws BadInputException naming the first that is unknown or cannot be read
   */
  @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
  public static KfacText of(Map<String, String> text) {
    Map<KfacKey, String> given = new EnumMap<>(KfacKey.class);
    text.forEach((name, value) -> given.put(key(name), value));
    return new KfacText(given);
  }

  private static KfacKey key(String name) {
    return Arrays.stream(KfacKey.values())
        .filter(key -> key.toString().equals(name))
        .findFirst()
        .orElseThrow(
            () ->
                new BadInputException(
                    "--kfac: unknown '%s'; known are %s"
                        .formatted(name, Arrays.toString(KfacKey.values()))));
  }

  /** Whether a setting is given. */
  public boolean has(KfacKey key) {
    return given.containsKey(key);
  }

  /** With {@code others} in addition, and in place of what they repeat. */
  public KfacText with(KfacText others) {
    Map<KfacKey, String> all = new EnumMap<>(KfacKey.class);
    all.putAll(given);
    all.putAll(others.given);
    return new KfacText(all);
  }

  /** With another setting. */
  public KfacText with(KfacKey key, String value) {
    return with(new KfacText(Map.of(key, value)));
  }

  /** The text by name, in alphabetical order. */
  @JsonValue
  public Map<String, String> text() {
    Map<String, String> text = new TreeMap<>();
    given.forEach((key, value) -> text.put(key.toString(), value));
    return text;
  }

  @Override
  public String toString() {
    return text().toString();
  }

  /** The settings by value. */
  public KfacArguments values() {
    return read(given);
  }

  private static KfacArguments read(Map<KfacKey, String> given) {
    try {
      return new KfacReader(given).read();
    } catch (IllegalArgumentException e) {
      throw new BadInputException("--kfac: " + e.getMessage(), e);
    }
  }
}
