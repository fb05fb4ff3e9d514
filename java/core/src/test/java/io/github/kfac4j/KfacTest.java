package io.github.kfac4j;

import static io.github.kfac4j.Networks.OPTIONS;
import static io.github.kfac4j.Networks.gaussian;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.kfac4j.data.LayerGradient;
import io.github.kfac4j.data.LayerReport;
import io.github.kfac4j.data.Observation;
import io.github.kfac4j.layer.Conv1d;
import io.github.kfac4j.layer.Conv2d;
import io.github.kfac4j.layer.ConvTranspose2d;
import io.github.kfac4j.layer.Dense;
import io.github.kfac4j.layer.Embedding;
import io.github.kfac4j.layer.FlattenedDense;
import io.github.kfac4j.layer.Layer;
import io.github.kfac4j.layer.WeightSharing;
import io.github.kfac4j.options.Approximation;
import io.github.kfac4j.options.Convention;
import io.github.kfac4j.options.DampingMode;
import io.github.kfac4j.options.InversePolicy;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.reference.JavaBackend;
import io.github.kfac4j.samples.ImageLayout;
import io.github.kfac4j.samples.Window;
import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.testkit.Fixtures;
import io.github.kfac4j.testkit.Literal;
import java.util.AbstractList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class KfacTest {
  private final Random random = new Random(3);

  private Observation dense(int examples, int in, int out) {
    return Networks.observation(
        HostTensor.of(gaussian(random, examples * in), examples, in),
        HostTensor.of(gaussian(random, examples * out), examples, out));
  }

  @Test
  void runningAveragesAreFreeOfTheBiasTowardsZero() {
    double decay = 0.9;
    try (Kfac kfac = Networks.kfac(new Dense(3, 2, true), OPTIONS.withDecay(decay))) {
      double[] expected = new double[16];
      double weights = 0;
      for (int step = 0; step < 5; step++) {
        Observation batch = dense(7, 3, 2);
        kfac.observe(List.of(batch));
        double[] moment =
            Literal.secondMoment(
                Literal.rows(
                    ((HostTensor) batch.input()).toArray(),
                    new Dense(3, 2, true).use(batch.input(), batch.outputGrad()).a(),
                    0));
        weights = decay * weights + 1;
        for (int i = 0; i < 16; i++) {
          expected[i] = (decay * expected[i] * (weights - 1) / decay + moment[i] / 7) / weights;
        }
        assertThat(Fixtures.error(kfac.state().inputFactor("layer"), expected)).isLessThan(1e-12);
      }
    }
  }

  @Test
  void kfacPytorchStartsItsAveragesFromTheIdentity() {
    KfacOptions options = OPTIONS.withConvention(Convention.KFAC_PYTORCH).withDecay(0.95);
    try (Kfac kfac = Networks.kfac(new Dense(1, 1, false), options)) {
      kfac.observe(
          List.of(
              Networks.observation(
                  HostTensor.of(new double[] {3}, 1, 1), HostTensor.of(new double[] {2}, 1, 1))));
      assertThat(kfac.state().inputFactor("layer")[0]).isEqualTo(0.95 + 0.05 * 9, within());
      assertThat(kfac.state().outputFactor("layer")[0]).isEqualTo(0.95 + 0.05 * 4, within());
    }
  }

  private static Offset<Double> within() {
    return Offset.offset(1e-12);
  }

  @Test
  void theScaleOfOutputGradientsTurnsAMeanLossIntoASum() {
    double[] x = gaussian(random, 12);
    double[] g = gaussian(random, 8);
    double[] mean = Arrays.stream(g).map(v -> v / 4).toArray();
    double[] dw = gaussian(random, 8);
    try (Kfac sum = Networks.kfac(new Dense(3, 2, true), OPTIONS);
        Kfac scaled = Networks.kfac(new Dense(3, 2, true), OPTIONS)) {
      HostTensor input = HostTensor.of(x, 4, 3);
      double[] u =
          Networks.precondition(sum, Networks.observation(input, HostTensor.of(g, 4, 2)), dw);
      double[] v =
          Networks.precondition(
              scaled, new Observation("layer", input, HostTensor.of(mean, 4, 2), 4), dw);
      assertThat(Fixtures.error(v, u)).isLessThan(1e-12);
    }
  }

  @Test
  void groupsArePreconditionedIndependently() {
    Conv2d grouped = new Conv2d(4, 6, Window.of(3, 3).withPadding(1, 1), 2, true, ImageLayout.NCHW);
    Conv2d single = Conv2d.of(2, 3, Window.of(3, 3).withPadding(1, 1));
    double[] x = gaussian(random, 2 * 4 * 20);
    double[] g = gaussian(random, 2 * 6 * 20);
    double[] dw = gaussian(random, 6 * 19);
    try (Kfac kfac = Networks.kfac(grouped, OPTIONS)) {
      double[] u =
          Networks.precondition(
              kfac,
              Networks.observation(HostTensor.of(x, 2, 4, 4, 5), HostTensor.of(g, 2, 6, 4, 5)),
              dw);
      for (int k = 0; k < 2; k++) {
        try (Kfac one = Networks.kfac(single, OPTIONS)) {
          double[] uk =
              Networks.precondition(
                  one,
                  Networks.observation(
                      HostTensor.of(channels(x, 4, 2 * k, 2), 2, 2, 4, 5),
                      HostTensor.of(channels(g, 6, 3 * k, 3), 2, 3, 4, 5)),
                  Arrays.copyOfRange(dw, k * 57, (k + 1) * 57));
          assertThat(Fixtures.error(Arrays.copyOfRange(u, k * 57, (k + 1) * 57), uk))
              .isLessThan(1e-12);
        }
      }
    }
  }

  private static double[] channels(double[] images, int channels, int from, int count) {
    double[] part = new double[2 * count * 20];
    for (int n = 0; n < 2; n++) {
      System.arraycopy(images, (n * channels + from) * 20, part, n * count * 20, count * 20);
    }
    return part;
  }

  @Test
  void intervalsAskForWorkOnTheirSteps() {
    try (Kfac kfac = Networks.kfac(new Dense(2, 2, false), OPTIONS.withIntervals(2, 3))) {
      StringBuilder asked = new StringBuilder();
      for (int step = 0; step < 7; step++) {
        asked.append(kfac.wantsObservations() ? 'o' : '-').append(kfac.wantsRefresh() ? 'r' : '-');
        if (kfac.wantsObservations()) {
          kfac.observe(List.of(dense(4, 2, 2)));
        }
        if (kfac.wantsRefresh()) {
          kfac.refresh();
        }
        Networks.step(kfac, "layer", gaussian(random, 4));
      }
      assertThat(asked).hasToString("or--o--ro---or");
    }
  }

  @Test
  void settingsThatStateDependsOnAreFixed() {
    try (Kfac kfac = Networks.kfac(new Dense(2, 2, false), OPTIONS)) {
      kfac.reconfigure(OPTIONS.withDamping(7));
      assertThat(kfac.options().damping()).isEqualTo(7);
      assertThatThrownBy(() -> kfac.reconfigure(OPTIONS.withDampingMode(DampingMode.EXACT)))
          .isInstanceOf(IllegalArgumentException.class);
      assertThatThrownBy(() -> kfac.reconfigure(OPTIONS.withConvention(Convention.KFAC_JAX)))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }

  @ParameterizedTest
  @CsvSource({"0", "-1", "NaN", "Infinity"})
  void dampingMustBePositive(double damping) {
    assertThatThrownBy(() -> OPTIONS.withDamping(damping))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("damping must be positive but is");
  }

  @Test
  void contradictorySettingsAreRefused() {
    assertThatThrownBy(() -> OPTIONS.withDecay(1)).hasMessageContaining("decay");
    assertThatThrownBy(() -> OPTIONS.withIntervals(0, 1)).hasMessageContaining("factor interval");
    assertThatThrownBy(() -> OPTIONS.withIntervals(1, -1)).hasMessageContaining("inverse");
    assertThatThrownBy(() -> OPTIONS.withKlClip(0, 1)).hasMessageContaining("KL clip");
    assertThatThrownBy(() -> OPTIONS.withKlClip(1, 0)).hasMessageContaining("learning rate");
    assertThatThrownBy(
            () ->
                OPTIONS
                    .withApproximation(Approximation.EKFAC)
                    .withDampingMode(DampingMode.FACTORED))
        .hasMessageContaining("EKFAC");
    assertThatThrownBy(
            () ->
                OPTIONS
                    .withConvention(Convention.KFAC_PYTORCH)
                    .withApproximation(Approximation.DIAGONAL))
        .hasMessageContaining("kfac-pytorch");
    assertThatThrownBy(() -> new InversePolicy(1, 1, 1)).hasMessageContaining("factor");
  }

  @Test
  void layersThatKfacPytorchDoesNotHaveAreRefusedUnderItsConvention() {
    KfacOptions options = OPTIONS.withConvention(Convention.KFAC_PYTORCH);
    Window line = Conv1d.window(2, 1, 0, 1);
    Map<String, Layer> foreign =
        Map.of(
            "Conv1d", new Conv1d(1, 1, line, 1, true),
            "ConvTranspose2d", new ConvTranspose2d(1, 1, Window.of(2, 2), 1, true),
            "Embedding", new Embedding(3, 2),
            "K-FAC reduce", new Dense(2, 2, true, WeightSharing.REDUCE));
    foreign.forEach(
        (name, layer) ->
            assertThatThrownBy(() -> Networks.kfac(layer, options))
                .hasMessageContaining("layer 'layer': kfac-pytorch has no " + name));
    Networks.kfac(new FlattenedDense(1, 2, 2, true, false), options).close();
  }

  @Test
  void badInputNamesTheLayerAndChangesNothing() {
    Map<String, Layer> layers = new LinkedHashMap<>();
    layers.put("conv", Conv2d.of(2, 3, Window.of(3, 3)));
    layers.put("layer", new Dense(3, 2, true));
    try (Kfac kfac = new Kfac(new JavaBackend(), layers, OPTIONS.withDecay(0.5))) {
      Observation good = dense(4, 3, 2);
      kfac.observe(List.of(good));
      double[] before = kfac.state().inputFactor("layer");
      HostTensor x = HostTensor.of(new double[12], 4, 3);
      HostTensor g = HostTensor.of(new double[8], 4, 2);
      refused(kfac, Observation.ofSumLoss("fc", x, g), "layer 'fc': unknown", "[conv, layer]");
      refused(kfac, Networks.observation(g, g), "layer 'layer'", "[4, 2]", "[N, 3]");
      refused(kfac, Networks.observation(x, x), "layer 'layer'", "output gradient", "[4, 3]");
      HostTensor none = HostTensor.of(new double[0], 0, 3);
      refused(kfac, Networks.observation(none, g), "layer 'layer'", "[0, 3]", "at least one");
      HostTensor three = HostTensor.of(new double[6], 3, 2);
      refused(kfac, Networks.observation(x, three), "4 examples", "[3, 2]");
      double[] bad = new double[12];
      bad[7] = Double.NaN;
      refused(kfac, Networks.observation(HostTensor.of(bad, 4, 3), g), "'layer': input", "index 7");
      HostTensor images = HostTensor.of(new double[4 * 2 * 2 * 5], 4, 2, 2, 5);
      refused(kfac, Observation.ofSumLoss("conv", images, g), "layer 'conv'", "too small");
      assertThatThrownBy(() -> kfac.observe(List.of(good, dense(5, 3, 2))))
          .hasMessageContaining("layer 'layer'")
          .hasMessageContaining("4 and 5 examples");
      assertThatThrownBy(() -> new Observation("layer", x, g, 0))
          .hasMessageContaining("scale must be positive");
      assertThat(kfac.refresh().get(0).perGroup().get(0).status())
          .isEqualTo(LayerReport.NOT_OBSERVED);
      assertThat(kfac.state().inputFactor("layer")).containsExactly(before);
    }
  }

  private static void refused(Kfac kfac, Observation observation, String... words) {
    assertThatThrownBy(() -> kfac.observe(List.of(observation)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContainingAll(words);
  }

  @Test
  void badGradientsNameTheLayerAndChangeNothing() {
    try (Kfac kfac = Networks.kfac(new Dense(3, 2, true), OPTIONS)) {
      HostTensor w = HostTensor.of(new double[] {1, 2, 3, 4, 5, 6}, 2, 3);
      HostTensor b = HostTensor.of(new double[] {1, 2}, 2);
      refused(kfac, new LayerGradient("layer", w, b), "no inverse yet");
      kfac.observe(List.of(dense(4, 3, 2)));
      kfac.refresh();
      refused(kfac, new LayerGradient("layer", w), "bias gradient is missing");
      refused(kfac, new LayerGradient("layer", b, b), "[2]", "expected [2, 3]");
      refused(kfac, new LayerGradient("layer", w, w), "bias gradient", "expected [2]");
      HostTensor inf = HostTensor.of(new double[] {1, Double.POSITIVE_INFINITY}, 2);
      refused(kfac, new LayerGradient("layer", w, inf), "bias gradient", "index 1");
      assertThat(w.toArray()).containsExactly(1, 2, 3, 4, 5, 6);
      assertThat(kfac.state().step()).isZero();
    }
  }

  private static void refused(Kfac kfac, LayerGradient gradient, String... words) {
    assertThatThrownBy(() -> kfac.precondition(List.of(gradient)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("layer 'layer'")
        .hasMessageContainingAll(words);
  }

  @Test
  void impossibleLayersAreRefused() {
    assertThatThrownBy(() -> new Dense(0, 3, true)).hasMessageContaining("0 in");
    assertThatThrownBy(() -> new Conv2d(4, 6, Window.of(1, 1), 3, true, ImageLayout.NCHW))
        .hasMessageContaining("3 does not divide both 4 and 6");
    assertThatThrownBy(() -> Window.of(3, 3).withStride(0, 1))
        .hasMessageContaining("stride must be positive but is 0 x 1");
    assertThatThrownBy(() -> Window.of(3, 3).withPadding(-1, 1)).hasMessageContaining("padding");
    assertThatThrownBy(() -> new Kfac(new JavaBackend(), Map.of(), OPTIONS))
        .hasMessageContaining("at least one layer");
  }

  /** As Guava's {@code Lists.transform} gives it. */
  @Test
  void ofAListThatMakesItsElementsAnewEachIsUsedAsItWasChecked() {
    try (Kfac kfac = Networks.kfac(new Dense(3, 2, false), OPTIONS)) {
      kfac.observe(List.of(dense(7, 3, 2)));
      kfac.refresh();
      int[] made = new int[1];
      List<LayerGradient> anew =
          new AbstractList<>() {
            @Override
            public LayerGradient get(int index) {
              int rows = made[0]++ == 0 ? 2 : 2000;
              return new LayerGradient("layer", HostTensor.of(new float[rows * 3], rows, 3));
            }

            @Override
            public int size() {
              return 1;
            }
          };
      kfac.precondition(anew);
      assertThat(made[0]).isEqualTo(1);
    }
  }

  @Test
  void anObserveThatFailsIsNone() {
    Kfac kfac = Networks.kfac(new Dense(3, 2, false), OPTIONS);
    kfac.close();
    assertThatThrownBy(() -> kfac.observe(List.of(dense(7, 3, 2))))
        .isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(kfac::refresh).isInstanceOf(IllegalStateException.class);
  }
}
