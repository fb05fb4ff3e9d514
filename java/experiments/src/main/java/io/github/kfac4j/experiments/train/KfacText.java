package io.github.kfac4j.experiments.train;

import io.github.kfac4j.distributed.collectives.Precision;
import io.github.kfac4j.experiments.AssignmentRule;
import io.github.kfac4j.experiments.train.KfacArguments.Bounds;
import io.github.kfac4j.experiments.train.KfacArguments.FisherName;
import io.github.kfac4j.experiments.train.KfacArguments.Quadratic;
import io.github.kfac4j.experiments.train.KfacArguments.WarmUp;
import io.github.kfac4j.options.Approximation;
import io.github.kfac4j.options.Convention;
import io.github.kfac4j.options.DampingMode;
import io.github.kfac4j.options.Intervals;
import io.github.kfac4j.options.InversePolicy;
import io.github.kfac4j.trainer.Rates.Memory;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.UnaryOperator;

/** Reads {@link KfacArguments} from the text by key that the command line gives and files hold. */
final class KfacText {
  /** In the order in which messages name them. */
  private static final List<String> KEYS =
      List.of(
          "fisher",
          "convention",
          "damping-mode",
          "flattened",
          "decay",
          "intervals",
          "stale",
          "burn-in",
          "examples",
          "micro-batches",
          "inverse",
          "kl-clip",
          "warm-up",
          "lm",
          "lm-bounds",
          "gamma",
          "momentum-first",
          "memory",
          "quadratic",
          "rescale",
          "assignment",
          "workers",
          "payload");

  private final Map<String, String> given;

  private KfacText(Map<String, String> given) {
    this.given = given;
  }

  /**
   * The settings by value.
   *
   * @throws IllegalArgumentException naming the first that is unknown or cannot be read
   */
  static KfacArguments read(Map<String, String> given) {
    for (String key : given.keySet()) {
      if (!KEYS.contains(key)) {
        throw new IllegalArgumentException("unknown '%s'; known are %s".formatted(key, KEYS));
      }
    }
    KfacText text = new KfacText(given);
    return new KfacArguments(
        new KfacArguments.Factors(
            text.choice(
                "fisher",
                FisherName.class,
                value -> "fisher must be empirical, mc, exact or curvature-prop"),
            text.get("convention", Convention::of),
            text.choice("flattened", Approximation.class),
            text.get("decay", Double::valueOf),
            text.get("examples", Integer::valueOf),
            text.get("micro-batches", Integer::valueOf)),
        new KfacArguments.Refreshes(
            text.pair(
                "intervals", (a, b) -> Intervals.of(Integer.parseInt(a), Integer.parseInt(b))),
            text.get("stale", Double::valueOf),
            text.get("burn-in", Integer::valueOf)),
        new KfacArguments.Inverses(
            text.choice("damping-mode", DampingMode.class),
            text.choice("inverse", InversePolicy.Method.class),
            text.get("kl-clip", Double::valueOf)),
        new KfacArguments.Damping(
            text.pair("warm-up", (a, b) -> new WarmUp(Double.parseDouble(a), Long.parseLong(b))),
            text.get("lm", Integer::valueOf),
            text.pair(
                "lm-bounds", (a, b) -> new Bounds(Double.parseDouble(a), Double.parseDouble(b))),
            text.get("gamma", Integer::valueOf)),
        new KfacArguments.Rule(
            text.on("momentum-first"),
            text.choice("memory", Memory.class),
            text.choice(
                "quadratic",
                Quadratic.class,
                value ->
                    "quadratic must be true, rate (without momentum) or false but is " + value),
            text.on("rescale")),
        Sharing.of(
            text.choice("assignment", AssignmentRule.class),
            text.get("workers", Double::valueOf),
            text.choice("payload", Precision.class)));
  }

  /** By a function that refuses what it cannot read. */
  private <T> T get(String key, Function<String, T> read) {
    String value = given.get(key);
    try {
      return value == null ? null : read.apply(value);
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException("%s must be a number but is %s".formatted(key, value), e);
    }
  }

  /** The constant of an enum, written in small letters with hyphens. */
  private <E extends Enum<E>> E choice(String key, Class<E> type) {
    List<String> known = Arrays.stream(type.getEnumConstants()).map(KfacText::written).toList();
    return choice(
        key, type, value -> "%s must be one of %s but is %s".formatted(key, known, value));
  }

  private <E extends Enum<E>> E choice(String key, Class<E> type, UnaryOperator<String> refusal) {
    return get(
        key,
        value ->
            Arrays.stream(type.getEnumConstants())
                .filter(constant -> written(constant).equals(value))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException(refusal.apply(value))));
  }

  private static String written(Enum<?> value) {
    return value.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  private Boolean on(String key) {
    return get(
        key,
        value -> {
          if (!value.equals("true") && !value.equals("false")) {
            throw new IllegalArgumentException(
                "%s must be true or false but is %s".formatted(key, value));
          }
          return value.equals("true");
        });
  }

  /** Two numbers, written {@code A:B}. */
  private <T> T pair(String key, BiFunction<String, String, T> read) {
    return get(
        key,
        value -> {
          String[] pair = value.split(":", 2);
          if (pair.length < 2) {
            throw new IllegalArgumentException("%s must be two numbers, A:B".formatted(key));
          }
          try {
            return read.apply(pair[0], pair[1]);
          } catch (NumberFormatException e) {
            throw new IllegalArgumentException(
                "%s must be two numbers, A:B, but is %s".formatted(key, value), e);
          }
        });
  }
}
