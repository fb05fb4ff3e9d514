package io.github.kfac4j.testkit.junit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.kfac4j.Kfac;
import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.data.LayerGradient;
import io.github.kfac4j.data.Observation;
import io.github.kfac4j.layer.Conv2d;
import io.github.kfac4j.layer.Dense;
import io.github.kfac4j.layer.Layer;
import io.github.kfac4j.options.Approximation;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.safetensors.StoredTensor;
import io.github.kfac4j.samples.ImageLayout;
import io.github.kfac4j.samples.Window;
import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.testkit.EveryLayer;
import io.github.kfac4j.testkit.Fixtures;
import io.github.kfac4j.testkit.MemoryLayout;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * However a trainer's arrays lie, steps have the bits of those with the same numbers row by row. A
 * backend's module extends this class.
 */
public abstract class StridesContract {
  private static final KfacOptions OPTIONS = EveryLayer.OPTIONS.withDamping(0.1);

  /** Opens the backend under test. */
  protected abstract Backend open();

  @ParameterizedTest
  @EnumSource(Approximation.class)
  void stepsOfEveryLayerHaveTheBitsOfRows(Approximation approximation) {
    for (boolean fp64 : new boolean[] {false, true}) {
      double[][] expected = steps(approximation, MemoryLayout.ROW_MAJOR, fp64);
      for (MemoryLayout layout : List.of(MemoryLayout.COLUMN_MAJOR, MemoryLayout.SLICED)) {
        double[][] actual = steps(approximation, layout, fp64);
        assertThat(actual).as("%s, fp64 %s", layout, fp64).isDeepEqualTo(expected);
      }
    }
  }

  private double[][] steps(Approximation approximation, MemoryLayout layout, boolean fp64) {
    Random random = new Random(11);
    try (Backend backend = open();
        Kfac kfac = EveryLayer.kfac(backend, approximation, OPTIONS.withMaxExamples(5))) {
      double[][] last = null;
      for (int step = 0; step < 2; step++) {
        kfac.observe(
            EveryLayer.observations(random).stream()
                .map(seen -> copy(seen, layout, fp64))
                .toList());
        kfac.refresh();
        List<LayerGradient> gradients =
            EveryLayer.gradients(random).stream().map(g -> copy(g, layout, fp64)).toList();
        kfac.precondition(gradients);
        last = EveryLayer.values(gradients);
      }
      return last;
    }
  }

  private static Observation copy(Observation seen, MemoryLayout layout, boolean fp64) {
    return new Observation(
        seen.layer(),
        layout.copy((HostTensor) seen.input(), fp64),
        layout.copy((HostTensor) seen.outputGrad(), fp64),
        seen.outputGradScale(),
        seen.examples());
  }

  private static LayerGradient copy(LayerGradient gradient, MemoryLayout layout, boolean fp64) {
    HostTensor bias = (HostTensor) gradient.bias();
    return new LayerGradient(
        gradient.layer(),
        layout.copy((HostTensor) gradient.weight(), fp64),
        bias == null ? null : layout.copy(bias, fp64));
  }

  private static HostTensor gaussian(int seed, int... shape) {
    int size = Arrays.stream(shape).reduce(1, (a, b) -> a * b);
    return HostTensor.of(Fixtures.gaussian(new Random(seed), size), shape);
  }

  @ParameterizedTest
  @EnumSource(ImageLayout.class)
  void imagesMayLieInTheOtherLayout(ImageLayout layout) {
    boolean first = layout == ImageLayout.NCHW;
    Window window = Window.of(3, 3).withPadding(1, 1);
    Map<String, Layer> layers = Map.of("conv", new Conv2d(4, 3, window, 1, true, layout));
    int[] other = first ? new int[] {0, 3, 1, 2} : new int[] {0, 2, 3, 1};
    HostTensor input = first ? gaussian(1, 5, 6, 7, 4) : gaussian(1, 5, 4, 6, 7);
    HostTensor grad = first ? gaussian(2, 5, 6, 7, 3) : gaussian(2, 5, 3, 6, 7);
    HostTensor inOther = MemoryLayout.ROW_MAJOR.copy(input, false).permute(other);
    HostTensor gradOther = MemoryLayout.ROW_MAJOR.copy(grad, false).permute(other);
    requireSameFactors(layers, inOther, gradOther);
  }

  /** The gradient of a sum, as trainers hand it over: one number for all elements. */
  @Test
  void anExpandedNumberIsReadAsOften() {
    HostTensor one =
        HostTensor.strided(FloatBuffer.wrap(new float[] {0.5f}), new int[] {6, 3}, 0, 0);
    requireSameFactors(Map.of("fc", new Dense(4, 3, true)), gaussian(3, 6, 4), one);
    HostTensor row =
        HostTensor.strided(FloatBuffer.wrap(new float[] {1, 2, 3}), new int[] {6, 3}, 0, 1);
    requireSameFactors(Map.of("fc", new Dense(4, 3, true)), gaussian(3, 6, 4), row);
  }

  private void requireSameFactors(Map<String, Layer> layers, HostTensor in, HostTensor out) {
    String name = layers.keySet().iterator().next();
    try (Backend backend = open();
        Kfac kfac = new Kfac(backend, layers, OPTIONS);
        Kfac rows = new Kfac(backend, layers, OPTIONS)) {
      kfac.observe(List.of(Observation.ofMeanLoss(name, in, out)));
      rows.observe(
          List.of(
              Observation.ofMeanLoss(
                  name,
                  MemoryLayout.ROW_MAJOR.copy(in, in.isDouble()),
                  MemoryLayout.ROW_MAJOR.copy(out, out.isDouble()))));
      assertThat(kfac.toTensors()).isEqualTo(rows.toTensors());
    }
  }

  @Test
  void whatLiesBetweenTheElementsOfAGradientStays() {
    Map<String, Layer> layers = Map.of("fc", new Dense(3, 2, false));
    try (Backend backend = open();
        Kfac kfac = new Kfac(backend, layers, OPTIONS.withKlClip(1e-9, 1))) {
      kfac.observe(List.of(Observation.ofMeanLoss("fc", gaussian(4, 5, 3), gaussian(5, 5, 2))));
      kfac.refresh();
      float[] memory = {0, 1, 0, 2, 0, 3, 9, 0, 4, 0, 5, 0, 6};
      HostTensor weight =
          HostTensor.strided(FloatBuffer.wrap(memory).slice(1, 12), new int[] {2, 3}, 7, 2);
      assertThat(weight.toArray()).containsExactly(1, 2, 3, 4, 5, 6);
      HostTensor rows = MemoryLayout.ROW_MAJOR.copy(weight, false);
      kfac.precondition(List.of(new LayerGradient("fc", weight)));
      kfac.precondition(List.of(new LayerGradient("fc", rows)));
      assertThat(weight.toArray()).isEqualTo(rows.toArray()).doesNotContain(1, 2, 3, 4, 5, 6);
      for (int gap : new int[] {0, 2, 4, 7, 9, 11}) {
        assertThat(memory[gap]).isZero();
      }
      assertThat(memory[6]).isEqualTo(9);
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {0, 2})
  void aGradientWhoseElementsMayBeOnePlaceIsRefused(long stride) {
    Map<String, Layer> layers = Map.of("net.fc", new Dense(3, 2, false));
    try (Backend backend = open();
        Kfac kfac = new Kfac(backend, layers, OPTIONS)) {
      kfac.observe(List.of(Observation.ofMeanLoss("net.fc", gaussian(4, 5, 3), gaussian(5, 5, 2))));
      kfac.refresh();
      Map<String, StoredTensor> before = kfac.toTensors();
      float[] memory = {1, 2, 3, 4, 5, 6};
      HostTensor weight = HostTensor.strided(FloatBuffer.wrap(memory), new int[] {2, 3}, stride, 1);
      assertThatThrownBy(() -> kfac.precondition(List.of(new LayerGradient("net.fc", weight))))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage(
              "layer 'net.fc': weight gradient of shape [2, 3] has strides [%d, 1], by which several"
                      .formatted(stride)
                  + " of its elements may be one place, and is to be replaced by the preconditioned"
                  + " one: copy it");
      assertThat(memory).containsExactly(1, 2, 3, 4, 5, 6);
      assertThat(kfac.toTensors()).isEqualTo(before);
    }
  }
}
