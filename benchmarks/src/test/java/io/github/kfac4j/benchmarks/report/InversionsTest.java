package io.github.kfac4j.benchmarks.report;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.kfac4j.benchmarks.run.Measurement;
import io.github.kfac4j.benchmarks.run.Pairs;
import io.github.kfac4j.benchmarks.run.Results;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** The table of algorithms from invented times. */
class InversionsTest {
  private static Measurement measured(String name, String own, double seconds) {
    List<Double> samples = List.of(seconds, 2 * seconds, seconds / 2);
    Pairs pairs = new Pairs(own, null, samples, null, null, 0.0, null, null, Map.of(), null, null);
    return new Measurement("inverse", name, "cuda", 0, "none", "", List.of(pairs));
  }

  @Test
  void neighboursWithTheSameFastestAlgorithmShareARow() {
    Results results = Results.empty("", 1, 1);
    for (Measurement m :
        List.of(
            measured("n=64", "cuda-kernels-64", 3e-5),
            measured("n=64", "cuda-kernels-128", 2e-5),
            measured("n=128", "cuda-kernels-128", 4e-5),
            measured("n=512", "cuda-kernels-sweep", 3e-4),
            measured("n=512", "cuda-cusolver", 5e-4),
            measured("n=4608", "cuda-kernels-sweep", 6e-3),
            measured("n=4608", "cuda-cusolver", 5e-3),
            measured("1000 x 64", "cuda-kernels-64", 2e-5),
            measured("1000 x 64", "cuda-kernels-128", 3e-5),
            measured("1000 x 64", "cuda", 1e-9))) {
      results = results.with(m);
    }
    assertThat(new Inversions(results).text())
        .isEqualTo(
            """
            Microseconds a matrix by algorithm:
              n    64 single REGISTERS_64 30.000 *REGISTERS_128 20.000
              n   128 single *REGISTERS_128 40.000
              n   512 single *SWEEP 300.000 CUSOLVER 500.000
              n  4608 single SWEEP 6000.000 *CUSOLVER 5000.000
              n    64 stack  *REGISTERS_64 0.020 REGISTERS_128 0.030
            The rows of native/cuda/invert_table.h:
                {8, ANY, KFAC_INVERT_FP64_8},
                {32, ANY, KFAC_INVERT_FP64_32},
                {128, 32, KFAC_INVERT_REGISTERS_128},
                {512, 32, KFAC_INVERT_SWEEP},
                {ANY, 32, KFAC_INVERT_CUSOLVER},
                {64, ANY, KFAC_INVERT_REGISTERS_64},
                {ANY, ANY, KFAC_INVERT_SWEEP},
            """);
  }

  @Test
  void saysWhenNothingWasMeasured() {
    assertThat(new Inversions(Results.empty("", 1, 1)).text()).contains("was measured");
  }
}
