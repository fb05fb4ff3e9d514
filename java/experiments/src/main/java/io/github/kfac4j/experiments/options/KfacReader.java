package io.github.kfac4j.experiments.options;

import io.github.kfac4j.distributed.collectives.Precision;
import io.github.kfac4j.experiments.AssignmentRule;
import io.github.kfac4j.experiments.options.KfacArguments.Bounds;
import io.github.kfac4j.experiments.options.KfacArguments.FisherName;
import io.github.kfac4j.experiments.options.KfacArguments.Quadratic;
import io.github.kfac4j.experiments.options.KfacArguments.WarmUp;
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

/** Reads {@link KfacArguments} from what is written. */
final class KfacReader {
  private final Map<KfacKey, String> given;

  KfacReader(Map<KfacKey, String> given) {
    this.given = given;
  }

  /**
   * The settings by value.
   *
   * @throws IllegalArgumentException naming the first that cannot be read
   */
  KfacArguments read() {
    return new KfacArguments(
        new KfacArguments.Factors(
            choice(
                KfacKey.FISHER,
                FisherName.class,
                value -> "fisher must be empirical, mc, exact or curvature-prop"),
            get(KfacKey.CONVENTION, Convention::of),
            choice(KfacKey.FLATTENED, Approximation.class),
            get(KfacKey.DECAY, Double::valueOf),
            get(KfacKey.EXAMPLES, Integer::valueOf),
            get(KfacKey.MICRO_BATCHES, Integer::valueOf)),
        new KfacArguments.Refreshes(
            pair(
                KfacKey.INTERVALS,
                (a, b) -> Intervals.of(Integer.parseInt(a), Integer.parseInt(b))),
            get(KfacKey.STALE, Double::valueOf),
            get(KfacKey.BURN_IN, Integer::valueOf)),
        new KfacArguments.Inverses(
            choice(KfacKey.DAMPING_MODE, DampingMode.class),
            choice(KfacKey.INVERSE, InversePolicy.Method.class),
            get(KfacKey.KL_CLIP, Double::valueOf)),
        new KfacArguments.Damping(
            pair(KfacKey.WARM_UP, (a, b) -> new WarmUp(Double.parseDouble(a), Long.parseLong(b))),
            get(KfacKey.LM, Integer::valueOf),
            pair(
                KfacKey.LM_BOUNDS,
                (a, b) -> new Bounds(Double.parseDouble(a), Double.parseDouble(b))),
            get(KfacKey.GAMMA, Integer::valueOf)),
        new KfacArguments.Rule(
            on(KfacKey.MOMENTUM_FIRST),
            choice(KfacKey.MEMORY, Memory.class),
            choice(
                KfacKey.QUADRATIC,
                Quadratic.class,
                value ->
                    "quadratic must be true, rate (without momentum) or false but is " + value),
            on(KfacKey.RESCALE)),
        Sharing.of(
            choice(KfacKey.ASSIGNMENT, AssignmentRule.class),
            get(KfacKey.WORKERS, Double::valueOf),
            choice(KfacKey.PAYLOAD, Precision.class)));
  }

  /** A value, read by a function that refuses what it cannot read; null if it is not given. */
  private <T> T get(KfacKey key, Function<String, T> read) {
    String value = given.get(key);
    try {
      return value == null ? null : read.apply(value);
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException("%s must be a number but is %s".formatted(key, value), e);
    }
  }

  /** The constant of an enum, written in small letters with hyphens. */
  private <E extends Enum<E>> E choice(KfacKey key, Class<E> type) {
    List<String> known = Arrays.stream(type.getEnumConstants()).map(KfacReader::written).toList();
    return choice(
        key, type, value -> "%s must be one of %s but is %s".formatted(key, known, value));
  }

  private <E extends Enum<E>> E choice(KfacKey key, Class<E> type, UnaryOperator<String> refusal) {
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

  private Boolean on(KfacKey key) {
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
  private <T> T pair(KfacKey key, BiFunction<String, String, T> read) {
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
