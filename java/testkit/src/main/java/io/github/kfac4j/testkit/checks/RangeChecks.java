package io.github.kfac4j.testkit.checks;

import static io.github.kfac4j.testkit.checks.Comparison.demand;

import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.testkit.Fixtures;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** The largest absolute value of tensors, from the least that fp32 holds to the largest. */
final class RangeChecks {
  private static final String VERB = "largest";

  private RangeChecks() {}

  static void run(Comparison comparison) {
    largest(comparison, 1, 1);
    largest(comparison, 7, 1e-30);
    largest(comparison, 4096, 1e18);
    largest(comparison, 10_001, 1e-45);
    largest(comparison, 300_000, 3e38);
  }

  private static void largest(Comparison comparison, int n, double size) {
    String what = "%d elements of about %.0e".formatted(n, size);
    Random random = comparison.random(VERB, what);
    double[] values = Fixtures.gaussian(random, n);
    Arrays.setAll(values, i -> (float) (values[i] * Math.min(size, 1e37)));
    values[random.nextInt(n)] = (float) (-6 * size > -3.4e38 ? -6 * size : -size);
    comparison.check(
        VERB,
        what,
        Tolerance.EXACT,
        side ->
            side.backend()
                .largest(
                    List.of(
                        side.tensor(values),
                        HostTensor.of(values, n),
                        side.tensor(new double[n]))));
    comparison.law(
        VERB,
        what + ", one of them not finite",
        side -> {
          for (double bad :
              new double[] {Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY}) {
            double[] damaged = values.clone();
            damaged[random.nextInt(n)] = bad;
            double[] largest =
                side.backend().largest(List.of(side.tensor(damaged), HostTensor.of(damaged, n)));
            demand(
                Arrays.stream(largest).noneMatch(Double::isFinite),
                "%s was not seen: %s",
                bad,
                Arrays.toString(largest));
          }
        });
  }
}
