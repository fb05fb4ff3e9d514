package io.github.kfac4j;

import static io.github.kfac4j.Networks.OPTIONS;
import static io.github.kfac4j.Networks.gaussian;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.github.kfac4j.data.LayerGradient;
import io.github.kfac4j.data.LayerReport;
import io.github.kfac4j.data.Observation;
import io.github.kfac4j.data.StepReport;
import io.github.kfac4j.layer.Dense;
import io.github.kfac4j.layer.Layer;
import io.github.kfac4j.options.Convention;
import io.github.kfac4j.options.Intervals;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.reference.JavaBackend;
import io.github.kfac4j.tensor.HostTensor;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Layers that the first passes skip: a conditional head, stochastic depth. */
class JoiningLayersTest {
  private static Map<String, Layer> layers() {
    Map<String, Layer> layers = new LinkedHashMap<>();
    layers.put("body", new Dense(3, 2, false));
    layers.put("head", new Dense(2, 2, false));
    return layers;
  }

  private static Observation observation(String layer, int inputs) {
    Random random = new Random(inputs);
    return Observation.ofSumLoss(
        layer,
        HostTensor.of(gaussian(random, 5 * inputs), 5, inputs),
        HostTensor.of(gaussian(random, 10), 5, 2));
  }

  private static LayerGradient gradient(String layer, int inputs) {
    return new LayerGradient(layer, HostTensor.of(gaussian(new Random(9), 2 * inputs), 2, inputs));
  }

  private static double[] weight(LayerGradient gradient) {
    return ((HostTensor) gradient.weight()).toArray();
  }

  private static double[] alone(KfacOptions options, String layer, int inputs) {
    try (Kfac kfac = new Kfac(new JavaBackend(), Map.of(layer, layers().get(layer)), options)) {
      kfac.observe(List.of(observation(layer, inputs)));
      kfac.refresh();
      LayerGradient gradient = gradient(layer, inputs);
      kfac.precondition(List.of(gradient));
      return weight(gradient);
    }
  }

  @ParameterizedTest
  @EnumSource(Convention.class)
  void aLayerIsPlainUntilItHasBeenObservedAndThenJoins(Convention convention) {
    KfacOptions options = OPTIONS.withConvention(convention);
    try (Kfac kfac = new Kfac(new JavaBackend(), layers(), options)) {
      kfac.observe(List.of(observation("body", 3)));
      List<LayerReport> reports = kfac.refresh();
      assertThat(reports).extracting(LayerReport::layer).containsExactly("body", "head");
      assertThat(reports.get(0).perGroup().get(0).status()).isEqualTo("ok");
      assertThat(reports.get(1).perGroup().get(0).status())
          .isEqualTo("not observed yet, gradient left plain");
      LayerGradient body = gradient("body", 3);
      LayerGradient head = gradient("head", 2);
      StepReport first = kfac.precondition(List.of(body, head));
      assertThat(first.plain()).containsExactly("head");
      assertThat(first.burnIn()).isFalse();
      assertThat(weight(head)).containsExactly(weight(gradient("head", 2)));
      assertThat(weight(body)).containsExactly(alone(options, "body", 3));

      kfac.observe(List.of(observation("body", 3), observation("head", 2)));
      kfac.refresh();
      LayerGradient joined = gradient("head", 2);
      StepReport second = kfac.precondition(List.of(gradient("body", 3), joined));
      assertThat(second.plain()).isEmpty();
      assertThat(weight(joined)).containsExactly(alone(options, "head", 2));
    }
  }

  @Test
  void aLayerThatWasObservedBetweenRefreshesStaysPlainUntilTheNext() {
    try (Kfac kfac = new Kfac(new JavaBackend(), layers(), OPTIONS.withIntervals(1, 3))) {
      for (int step = 0; step < 4; step++) {
        kfac.observe(
            step == 0
                ? List.of(observation("body", 3))
                : List.of(observation("body", 3), observation("head", 2)));
        if (kfac.wantsRefresh()) {
          kfac.refresh();
        }
        StepReport report = kfac.precondition(List.of(gradient("body", 3), gradient("head", 2)));
        assertThat(report.plain()).isEqualTo(step < 3 ? List.of("head") : List.of());
      }
    }
  }

  /** The clip bounds a length in the Fisher metric; a plain gradient has no such length. */
  @Test
  void aPlainGradientHasNoPartInTheClip() {
    KfacOptions options = OPTIONS.withKlClip(1e-4, 0.1);
    try (Kfac kfac = new Kfac(new JavaBackend(), layers(), options)) {
      kfac.observe(List.of(observation("body", 3)));
      kfac.refresh();
      LayerGradient body = gradient("body", 3);
      LayerGradient head = gradient("head", 2);
      StepReport report = kfac.precondition(List.of(body, head));
      assertThat(report.clip()).isLessThan(1);
      assertThat(weight(head)).containsExactly(weight(gradient("head", 2)));
      assertThat(weight(body)).containsExactly(alone(options, "body", 3));
      double[] dw = weight(gradient("body", 3));
      double[] u = weight(body);
      double inner = 0;
      for (int i = 0; i < u.length; i++) {
        inner += u[i] / report.clip() * dw[i];
      }
      assertThat(report.innerProduct()).isCloseTo(inner, within(1e-12 * inner));
    }
  }

  @Test
  void itIsStillAnErrorToObserveNothingAtAll() {
    try (Kfac kfac = new Kfac(new JavaBackend(), layers(), OPTIONS)) {
      assertThatThrownBy(kfac::refresh)
          .isInstanceOf(IllegalStateException.class)
          .hasMessage("layer 'body': there is nothing to invert before observe()");
      assertThatThrownBy(() -> kfac.precondition(List.of(gradient("head", 2))))
          .hasMessage("layer 'head': has no inverse yet: observe() and refresh() come first");
      kfac.observe(List.of(observation("body", 3)));
      assertThatThrownBy(() -> kfac.precondition(List.of(gradient("body", 3))))
          .hasMessage("layer 'body': has no inverse yet: observe() and refresh() come first");
    }
  }

  @Test
  void inTheBurnInEveryGradientIsZeroAndTheReportSaysSo() {
    KfacOptions options = OPTIONS.withIntervals(Intervals.of(1, 1).withBurnIn(2));
    try (Kfac kfac = new Kfac(new JavaBackend(), layers(), options)) {
      for (int step = 0; step < 3; step++) {
        kfac.observe(List.of(observation("body", 3)));
        if (kfac.wantsRefresh()) {
          kfac.refresh();
        }
        LayerGradient body = gradient("body", 3);
        LayerGradient head = gradient("head", 2);
        StepReport report = kfac.precondition(List.of(body, head));
        assertThat(report.burnIn()).isEqualTo(step < 2);
        if (step < 2) {
          assertThat(weight(body)).containsOnly(0, -0.0);
          assertThat(weight(head)).containsOnly(0, -0.0);
        } else {
          assertThat(report.plain()).containsExactly("head");
        }
      }
    }
  }
}
