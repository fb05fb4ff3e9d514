package io.github.kfac4j.testkit;

import io.github.kfac4j.fisher.Fisher;
import io.github.kfac4j.options.Approximation;
import io.github.kfac4j.options.Convention;
import io.github.kfac4j.options.DampingMode;
import io.github.kfac4j.options.Intervals;
import io.github.kfac4j.options.InversePolicy;
import io.github.kfac4j.options.KfacOptions;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** Options that differ from {@link #BASE} in each setting there is, for the tests of adapters. */
public final class EveryOption {
  /** What the others are compared with. */
  public static final KfacOptions BASE = KfacOptions.DEFAULT.withDamping(0.1).withIntervals(1, 2);

  private EveryOption() {}

  /**
   * The options by what they differ in.
   *
   * @param layer the name of one of the network's layers
   * @param steps of the training that is tried, which one of the burn-ins is as long as
   */
  public static Map<String, KfacOptions> all(String layer, int steps) {
    Map<String, KfacOptions> all = new LinkedHashMap<>();
    all.put("damping", BASE.withDamping(1));
    all.put("estimator", BASE.withEstimator(Fisher.Estimator.EXACT)); // which adapters set
    all.put("exact damping", BASE.withDampingMode(DampingMode.EXACT));
    for (Convention convention : Convention.values()) {
      all.put("convention " + convention.id(), BASE.withConvention(convention));
    }
    all.put("EKFAC", BASE.withApproximation(Approximation.EKFAC));
    all.put("diagonal", BASE.withApproximation(Approximation.DIAGONAL));
    all.put("by name", BASE.withApproximation(layer, Approximation.DIAGONAL));
    all.put("decay", BASE.withDecay(0.5));
    all.put("clip", BASE.withKlClip(1e-4, 0.02));
    all.put("learning rate", BASE.withKlClip(1e-4, 0.02).withLearningRate(0.01));
    all.put("no clip", BASE.withKlClip(1e-4, 0.02).withoutKlClip());
    all.put("intervals", BASE.withIntervals(2, 4));
    all.put("adaptive", BASE.withIntervals(Intervals.adaptive(0.1)));
    all.put("adaptive burn-in", BASE.withIntervals(Intervals.adaptive(0.1).withBurnIn(2)));
    all.put("burn-in", BASE.withIntervals(Intervals.of(1, 1).withBurnIn(2)));
    all.put("long burn-in", BASE.withIntervals(Intervals.of(1, 2).withBurnIn(steps)));
    all.put("examples", BASE.withMaxExamples(5));
    for (InversePolicy.Method method : InversePolicy.Method.values()) {
      InversePolicy policy = new InversePolicy(method, 1e-4, 4, 5, 2);
      all.put("inverses by " + method, BASE.withInversePolicy(policy));
    }
    return all;
  }

  /** Settings that none of these changes: a new one must be tried, too. */
  public static List<String> untried(Map<String, KfacOptions> all) {
    return names(KfacOptions.class)
        .filter(
            name -> all.values().stream().allMatch(o -> value(o, name).equals(value(BASE, name))))
        .toList();
  }

  /** Names of all settings, those inside of settings after a dot. */
  private static Stream<String> names(Class<?> type) {
    return Stream.of(type.getRecordComponents())
        .flatMap(
            c ->
                c.getType().isRecord()
                    ? names(c.getType()).map(inner -> c.getName() + "." + inner)
                    : Stream.of(c.getName()));
  }

  private static Object value(Object settings, String name) {
    Object value = settings;
    for (String part : name.split("\\.")) {
      try {
        value = value.getClass().getMethod(part).invoke(value);
      } catch (ReflectiveOperationException e) {
        throw new AssertionError(e);
      }
    }
    return value;
  }
}
