package io.github.kfac4j;

import static io.github.kfac4j.Networks.OPTIONS;
import static io.github.kfac4j.Networks.gaussian;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.kfac4j.curvature.MatrixSpec;
import io.github.kfac4j.curvature.StateMatrix;
import io.github.kfac4j.data.Observation;
import io.github.kfac4j.data.Share;
import io.github.kfac4j.layer.Dense;
import io.github.kfac4j.options.Approximation;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.testkit.Fixtures;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Statistics of parts of a batch. */
class MicroBatchTest {
  private static final Dense LAYER = new Dense(4, 2, true);
  private final double[] x = gaussian(new Random(1), 12 * 4);
  private final double[] g = gaussian(new Random(2), 12 * 2);

  private Observation part(int from, int to) {
    return Networks.observation(
        HostTensor.of(Arrays.copyOfRange(x, from * 4, to * 4), to - from, 4),
        HostTensor.of(Arrays.copyOfRange(g, from * 2, to * 2), to - from, 2));
  }

  @ParameterizedTest
  @ValueSource(doubles = {0, 0.9})
  void theMeanOfMicroBatchesIsTheWholeBatch(double decay) {
    KfacOptions options = OPTIONS.withDecay(decay).withIntervals(1, 1);
    try (Kfac whole = Networks.kfac(LAYER, options);
        Kfac parts = Networks.kfac(LAYER, options)) {
      for (int step = 0; step < 3; step++) {
        whole.observe(List.of(part(0, 12)));
        parts.observe(List.of(part(0, 3)), Share.of(0.25));
        parts.observe(List.of(part(3, 5)), Share.of(2 / 12.0));
        parts.observe(List.of(part(5, 12)), Share.of(7 / 12.0));
        assertThat(Fixtures.error(a(parts), a(whole))).isLessThan(1e-14);
        assertThat(Fixtures.error(g(parts), g(whole))).isLessThan(1e-14);
        // another batch in between, so that there is something to average with
        whole.observe(List.of(part(2, 9)));
        parts.observe(List.of(part(2, 9)));
      }
    }
  }

  /** 12 examples are taken for half of the batch until there turn out to be 4 more. */
  @ParameterizedTest
  @EnumSource(
      value = Approximation.class,
      names = {"KRONECKER", "EKFAC", "DIAGONAL"})
  void sharesCanBeCorrectedWhenTheSizeOfTheBatchIsKnown(Approximation approximation) {
    KfacOptions options = OPTIONS.withDecay(0.7).withApproximation(approximation);
    try (Kfac whole = Networks.kfac(LAYER, options);
        Kfac parts = Networks.kfac(LAYER, options)) {
      for (int step = 0; step < 3; step++) {
        whole.observe(List.of(part(0, 12)));
        parts.observe(List.of(part(0, 9)), Share.of(0.5));
        parts.reweigh(1.5);
        parts.observe(List.of(part(9, 12)), Share.of(0.25));
        whole.refresh();
        parts.refresh();
        whole.endStep();
        parts.endStep();
      }
      assertThat(parts.state().toTensors().keySet()).isEqualTo(whole.state().toTensors().keySet());
      for (StateMatrix matrix : whole.state().layer("layer").matrices()) {
        if (matrix.spec().role() != MatrixSpec.Role.BASIS) { // whose vectors have no sign
          assertThat(
                  Fixtures.error(
                      parts.state().layer("layer").stack(matrix.key()).toArray(),
                      matrix.stack().toArray()))
              .as(matrix.key().name())
              .isLessThan(1e-12);
        }
      }
      assertThatThrownBy(() -> parts.reweigh(2)).hasMessageContaining("would have 0.0");
    }
  }

  private static double[] a(Kfac kfac) {
    return kfac.state().inputFactor("layer");
  }

  private static double[] g(Kfac kfac) {
    return kfac.state().outputFactor("layer");
  }

  @Test
  void sharesThatDoNotAddToOneAreRefused() {
    try (Kfac kfac = Networks.kfac(LAYER, OPTIONS)) {
      assertThatThrownBy(() -> kfac.observe(List.of(part(0, 3)), Share.of(0)))
          .hasMessageContaining("after 0.0 comes 0.0");
      kfac.observe(List.of(part(0, 6)), Share.of(0.5));
      double[] before = a(kfac);
      assertThatThrownBy(() -> kfac.observe(List.of(part(0, 6))))
          .hasMessageContaining("add to 1, but after 0.5 comes 1.0");
      assertThat(a(kfac)).containsExactly(before);
    }
  }

  @Test
  void theFirstExamplesCanStandForTheBatch() {
    try (Kfac few = Networks.kfac(LAYER, OPTIONS.withMaxExamples(5));
        Kfac five = Networks.kfac(LAYER, OPTIONS)) {
      few.observe(List.of(part(0, 12)));
      five.observe(List.of(part(0, 5)));
      assertThat(a(few)).containsExactly(a(five));
      assertThat(g(few)).containsExactly(g(five));
      few.observe(List.of(part(0, 2))); // fewer than the maximum are all taken
    }
    assertThatThrownBy(() -> OPTIONS.withMaxExamples(0)).hasMessageContaining("positive but is 0");
  }
}
