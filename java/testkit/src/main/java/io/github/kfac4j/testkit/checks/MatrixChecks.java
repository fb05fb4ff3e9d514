package io.github.kfac4j.testkit.checks;

import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.testkit.Fixtures;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** The verbs on matrices and tensors that are hardly arithmetic. */
final class MatrixChecks {
  private MatrixChecks() {}

  static void run(Comparison comparison, Extent extent) {
    for (int n : new int[] {1, 2, 13, 64, 207, 1024}) {
      if (!extent.has(n)) {
        continue;
      }
      String what = "3 of %d x %d".formatted(n, n);
      double[] values = Fixtures.gaussian(comparison.random("allocate", what), 3 * n * n);
      comparison.check("allocate", what, 0, side -> side.stack(3, n, n, values).toArray());
      double[] positive = Arrays.stream(values).map(Math::abs).toArray();
      comparison.check(
          "traces",
          what,
          1e-12, // summed in fp64
          side -> side.backend().traces(List.of(side.stack(3, n, n, positive))).get(0));
    }
    for (int n : new int[] {1, 7, 4096, 1_000_001}) {
      String what = "%d elements".formatted(n);
      Random random = comparison.random("firstNonFinite", what);
      double[] good = Fixtures.gaussian(random, n);
      double[] bad = good.clone();
      bad[random.nextInt(n)] = Double.NaN;
      bad[n - 1] = Double.NEGATIVE_INFINITY;
      comparison.check(
          "firstNonFinite",
          what,
          0,
          side ->
              Arrays.stream(
                      side.backend().firstNonFinite(List.of(side.tensor(good), side.tensor(bad))))
                  .asDoubleStream()
                  .toArray());
      comparison.check(
          "scale",
          what,
          4 * Fixtures.U,
          side -> {
            HostTensor tensor = side.tensor(good);
            side.backend().scale(List.of(tensor), 1 / 3.0);
            return tensor.toArray();
          });
    }
  }
}
