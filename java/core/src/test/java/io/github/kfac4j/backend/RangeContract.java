package io.github.kfac4j.backend;

import static io.github.kfac4j.testkit.Fixtures.direct;
import static io.github.kfac4j.testkit.Fixtures.gaussian;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.kfac4j.tensor.HostTensor;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a backend says of the range of tensors. */
public abstract class RangeContract extends ContractFixture {
  @ParameterizedTest
  @CsvSource({"1,1", "7,1e-30", "4096,1e18", "10001,1e-45", "300000,3e38"})
  void theLargestAbsoluteValueIsFound(int n, double size) {
    double[] values = gaussian(random, n);
    for (int i = 0; i < n; i++) {
      values[i] = (float) (values[i] * Math.min(size, 1e37));
    }
    values[random.nextInt(n)] = (float) (-6 * size > -3.4e38 ? -6 * size : -size);
    double expected = 0;
    for (double value : values) {
      expected = Math.max(expected, Math.abs(value));
    }
    assertThat(backend.largest(List.of(direct(values), HostTensor.of(values, n))))
        .containsExactly(expected, expected);
    assertThat(backend.largest(List.of(direct(new double[n])))).containsExactly(0);
    for (double bad :
        new double[] {Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY}) {
      double[] damaged = values.clone();
      damaged[random.nextInt(n)] = bad;
      for (double largest : backend.largest(List.of(direct(damaged), HostTensor.of(damaged, n)))) {
        assertThat(Double.isFinite(largest)).isFalse();
      }
    }
  }
}
