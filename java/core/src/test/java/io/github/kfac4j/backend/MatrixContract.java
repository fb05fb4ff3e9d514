package io.github.kfac4j.backend;

import static io.github.kfac4j.testkit.Fixtures.direct;
import static io.github.kfac4j.testkit.Fixtures.gaussian;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.data.Offset.offset;

import io.github.kfac4j.tensor.HostTensor;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Matrix stacks and small helpers. */
abstract class MatrixContract extends ContractFixture {
  @Test
  void aNewStackIsZeroAndKeepsWhatIsSet() {
    MatrixStack stack = zeros(3, 2, 5);
    assertThat(stack.toArray()).hasSize(30).containsOnly(0);
    double[] values = gaussian(random, 30);
    stack.set(values);
    assertThat(stack.toArray()).containsExactly(values);
    assertThatThrownBy(() -> stack.set(new double[29]))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void aCopyIsExactAndItsOwn() {
    for (MatrixStack stack : List.of(zeros(3, 2, 5), backend.allocateBasis(3, 2, 5))) {
      try (stack;
          MatrixStack copy = stack.like();
          MatrixStack other = backend.allocate(3, 5, 2)) {
        assertThat(copy.toArray()).hasSize(30).containsOnly(0);
        assertThat(copy.isDouble()).isEqualTo(stack.isDouble());
        double[] values = random.doubles(30, -1, 1).toArray();
        stack.set(values);
        double[] kept = stack.toArray();
        copy.copyFrom(stack);
        stack.set(new double[30]);
        assertThat(copy.toArray()).containsExactly(kept);
        assertThatThrownBy(() -> copy.copyFrom(other))
            .isInstanceOf(IllegalArgumentException.class)
            .hasMessageContaining("3 x 2 x 5");
        assertThat(copy.toArray()).containsExactly(kept);
      }
    }
  }

  @Test
  void aClosedStackSaysSo() {
    MatrixStack stack = zeros(1, 2, 2);
    stack.close();
    stack.close();
    assertThatThrownBy(stack::toArray).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> stack.set(new double[4])).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void noRequestsAreNoWork() {
    backend.accumulate(List.of());
    backend.accumulateInBasis(List.of());
    assertThat(backend.invert(List.of())).isEmpty();
    assertThat(backend.decompose(List.of())).isEmpty();
    assertThat(backend.precondition(List.of())).isEmpty();
    assertThat(backend.preconditionInBasis(List.of())).isEmpty();
    assertThat(backend.traces(List.of())).isEmpty();
    assertThat(backend.firstNonFinite(List.of())).isEmpty();
    assertThat(backend.largest(List.of())).isEmpty();
    backend.scale(List.of(), 2);
  }

  @Test
  void tracesAreSums() {
    double[] values = gaussian(random, 3 * 13 * 13);
    double[] traces = backend.traces(List.of(filled(3, 13, 13, values))).get(0);
    for (int k = 0; k < 3; k++) {
      double expected = 0;
      for (int i = 0; i < 13; i++) {
        expected += values[k * 169 + i * 14];
      }
      assertThat(traces[k]).isCloseTo(expected, offset(1e-12));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 7, 4096, 10_001})
  void theFirstNonFiniteElementIsFound(int n) {
    double[] values = gaussian(random, n);
    assertThat(backend.firstNonFinite(List.of(direct(values)))).containsExactly(-1);
    for (double bad :
        new double[] {Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY}) {
      int at = random.nextInt(n);
      double[] damaged = values.clone();
      damaged[at] = bad;
      damaged[n - 1] = bad;
      assertThat(
              backend.firstNonFinite(
                  List.of(direct(values), direct(damaged), HostTensor.of(damaged, n))))
          .containsExactly(-1, at, at);
    }
  }

  @Test
  void scaleMultipliesInPlace() {
    HostTensor floats = direct(new double[] {1, -2, 3});
    HostTensor doubles = HostTensor.of(new double[] {4, 5}, 2);
    backend.scale(List.of(floats, doubles), 0.5);
    assertThat(floats.toArray()).containsExactly(0.5, -1, 1.5);
    assertThat(doubles.toArray()).containsExactly(2, 2.5);
  }
}
