package io.github.kfac4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.github.kfac4j.data.LayerGradient;
import io.github.kfac4j.data.Observation;
import io.github.kfac4j.data.StepReport;
import io.github.kfac4j.layer.Dense;
import io.github.kfac4j.options.Approximation;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.tensor.HostTensor;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** A step in one call is the verbs, where they are due. */
class WholeStepTest {
  private final Random random = new Random(5);

  private Kfac kfac() {
    return Networks.kfac(new Dense(3, 2, false), Networks.OPTIONS.withIntervals(2, 4));
  }

  private Observation batch() {
    return Observation.ofSumLoss(
        "layer",
        HostTensor.of(Networks.gaussian(random, 15), 5, 3),
        HostTensor.of(Networks.gaussian(random, 10), 5, 2));
  }

  private static LayerGradient gradient(double[] values) {
    return new LayerGradient("layer", HostTensor.of(values, 2, 3));
  }

  @Test
  void doesWhatTheVerbsDo() {
    try (Kfac whole = kfac();
        Kfac verbs = kfac()) {
      for (int step = 0; step < 6; step++) {
        Observation batch = batch();
        double[] expected = Networks.gaussian(random, 6);
        double[] actual = expected.clone();
        if (step % 2 == 0) {
          verbs.observe(List.of(batch));
        }
        if (step % 4 == 0) {
          verbs.refresh();
        }
        StepReport wanted = verbs.precondition(List.of(gradient(expected)));
        StepReport report = whole.step(List.of(batch), List.of(gradient(actual)));
        assertThat(actual).isEqualTo(expected);
        assertThat(report.innerProduct()).isEqualTo(wanted.innerProduct());
        assertThat(report.refreshed()).hasSameSizeAs(wanted.refreshed());
        assertThat(whole.step()).isEqualTo(step + 1);
      }
      assertThat(whole.state().inputFactor("layer")).isEqualTo(verbs.state().inputFactor("layer"));
    }
  }

  @Test
  void ekfacThatWouldMeasureNothingIsRefused() {
    KfacOptions options =
        Networks.OPTIONS.withApproximation(Approximation.EKFAC).withIntervals(1, 1);
    try (Kfac kfac = Networks.kfac(new Dense(3, 2, false), options)) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> kfac.step(List.of(batch()), List.of(gradient(new double[6]))))
          .withMessageContaining("EKFAC measures its moments between refreshes")
          .withMessageContaining("withIntervals(1, 10)");
      assertThat(kfac.wantsObservations()).isTrue();
    }
  }

  @Test
  void whatFailedCanBeDropped() {
    try (Kfac kfac = kfac()) {
      kfac.step(List.of(batch()), List.of(gradient(Networks.gaussian(random, 6))));
      kfac.step(List.of(), List.of(gradient(Networks.gaussian(random, 6))));
      double[] factor = kfac.state().inputFactor("layer");
      double[] bad = {1, 2, 3, Double.NaN, 5, 6};
      assertThatIllegalArgumentException()
          .isThrownBy(() -> kfac.step(List.of(batch()), List.of(gradient(bad))))
          .withMessageContaining("layer");
      assertThat(kfac.state().inputFactor("layer")).isNotEqualTo(factor);
      kfac.discardStep();
      assertThat(kfac.state().inputFactor("layer")).isEqualTo(factor);
      assertThat(kfac.step()).isEqualTo(2);
    }
  }
}
