package io.github.kfac4j.cpu;

import static io.github.kfac4j.testkit.Fixtures.gaussian;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.kfac4j.backend.AccumulateRequest;
import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.backend.RowSamples;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Sums of equal examples, each of which fp32 would round the same way, by every dense route. */
class FactorSumsTest {
  private static final double U = 0x1p-24;

  /**
   * In units of u of an element: fp64 sums are rounded once, or twice with an average; fp32 sums of
   * t terms add (t + 1) / 2 at most, and 1 for each 576 rows.
   */
  @ParameterizedTest
  @CsvSource({
    "1,40,1.1",
    "2,40,1.1",
    "32,40,1.1",
    "1000,40,1.1",
    "40000,70,1.1",
    "32,700,1.1",
    "1,300,3",
    "2,300,3",
    "3,300,3",
    "8,300,3",
    "32,300,3",
    "64,300,3",
    "256,300,18",
    "1024,300,35"
  })
  void ofEqualExamplesDoNotDrift(int examples, int width, double units) {
    double[] x = gaussian(new Random(examples + width), width);
    double[] rows = new double[examples * width];
    for (int i = 0; i < rows.length; i++) {
      rows[i] = x[i % width];
    }
    boolean panels = units > 2 && KfacCpuLibrary.isAvailable();
    try (CpuBackend backend = new CpuBackend(2, panels);
        MatrixStack target = backend.allocate(1, width, width)) {
      RowSamples samples = new RowSamples(Data.direct(rows), examples, 1, 1, width, false);
      backend.accumulate(List.of(new AccumulateRequest(target, 0, 1.0 / examples, samples)));
      double[] a = target.toArray();
      double worst = 0;
      for (int i = 0; i < a.length; i++) {
        double exact = x[i / width] * x[i % width];
        worst = Math.max(worst, Math.abs(a[i] - exact) / (U * Math.abs(exact)));
      }
      assertThat(worst).isLessThan(units);
    }
  }
}
