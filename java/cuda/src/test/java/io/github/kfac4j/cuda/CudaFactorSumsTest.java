package io.github.kfac4j.cuda;

import static io.github.kfac4j.testkit.Fixtures.direct;
import static io.github.kfac4j.testkit.Fixtures.gaussian;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.kfac4j.backend.AccumulateRequest;
import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.samples.RowSamples;
import io.github.kfac4j.testkit.Fixtures;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Sums of equal examples, each of which fp32 would round the same way. */
@RequiresCuda
class CudaFactorSumsTest {
  /**
   * In units of u of an element: up to 256 rows are summed in fp64 and rounded once. Beyond, an
   * input is two fp16 numbers, tensor cores truncate, and up to 42 sums of 96 rows are added up in
   * fp32.
   */
  @ParameterizedTest
  @CsvSource({
    "1,40,1.1",
    "32,200,1.1",
    "256,40,1.1",
    "256,200,1.1",
    "257,40,25",
    "257,200,25",
    "1024,70,25",
    "5000,40,25"
  })
  void ofEqualExamplesDoNotDrift(int examples, int width, double units) {
    double[] x = gaussian(new Random(examples + width), width);
    for (int i = 0; i < width; i++) {
      // fp16 numbers hold digits down to a part of the largest
      x[i] = (float) Math.copySign(Math.max(Math.abs(x[i]), 1e-3), x[i]);
    }
    double[] rows = new double[examples * width];
    for (int i = 0; i < rows.length; i++) {
      rows[i] = x[i % width];
    }
    try (CudaBackend backend = new CudaBackend(0);
        MatrixStack target = backend.allocate(1, width, width)) {
      RowSamples samples = new RowSamples(direct(rows), examples, 1, 1, width, false);
      backend.accumulate(List.of(new AccumulateRequest(target, 0, 1.0 / examples, samples)));
      double[] a = target.toArray();
      double worst = 0;
      for (int i = 0; i < a.length; i++) {
        double exact = x[i / width] * x[i % width];
        worst = Math.max(worst, Math.abs(a[i] - exact) / (Fixtures.U * Math.abs(exact)));
      }
      assertThat(worst).isLessThan(units);
    }
  }
}
