package io.github.kfac4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.data.LayerGradient;
import io.github.kfac4j.data.Observation;
import io.github.kfac4j.layer.Dense;
import io.github.kfac4j.options.Approximation;
import io.github.kfac4j.options.DampingMode;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.reference.JavaBackend;
import io.github.kfac4j.safetensors.StoredTensor;
import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.tensor.Tensor;
import io.github.kfac4j.testkit.EveryLayer;
import io.github.kfac4j.testkit.Fixtures;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Inputs and output gradients from 1e-30 to 1e18: every kind of layer, approximation and damping
 * mode against the fp64 backend, and laws of scaling; what is beyond is refused by name. A
 * backend's module extends this class.
 */
public abstract class KfacRangeContract {
  /** As in {@link KfacContract}: the size of the numbers costs nothing. */
  private static final double TOLERANCE = 1e-3;

  private static final double[][] SIZES = {
    {1e-30, 1}, {1, 1e-30}, {1e-30, 1e-30}, {1e-24, 1e-12}, {1e-12, 1e9}, {1, 1e-24},
    {2e17, 1}, {1, 2e17}, {2e17, 2e17}, {2e17, 1e-30}, {1e-30, 2e17}, {3e4, 1e-9}
  };

  /** Opens the backend under test. */
  protected abstract Backend open();

  static Stream<Arguments> cases() {
    return Stream.of(Approximation.values())
        .flatMap(a -> a.dampingModes().stream().map(mode -> Arguments.of(a, mode)));
  }

  @ParameterizedTest
  @MethodSource("cases")
  void everySizeOfInputsAndGradientsIsAsInDouble(Approximation approximation, DampingMode mode) {
    for (double[] size : SIZES) {
      double block = Math.max(size[0], 1) * size[1];
      KfacOptions options =
          Networks.OPTIONS.withDampingMode(mode).withDamping(0.1 * block * block).withDecay(0.5);
      try (Backend backend = open();
          Kfac kfac = EveryLayer.kfac(backend, approximation, options);
          Kfac java = EveryLayer.kfac(new JavaBackend(), approximation, options)) {
        double product = size[0] * size[1];
        double[] smaller = {size[0] / 1024, size[1] / 1024};
        compare(kfac, java, List.of(size, smaller, size), product);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("cases")
  void sizesMayChangeFromStepToStep(Approximation approximation, DampingMode mode) {
    double[] ordinary = {1, 1};
    for (double[] size : List.of(new double[] {1, 1e-24}, new double[] {1e-20, 1e15})) {
      double block = Math.max(1, size[1]);
      KfacOptions options =
          Networks.OPTIONS.withDampingMode(mode).withDamping(0.1 * block * block).withDecay(0.5);
      try (Backend backend = open();
          Kfac kfac = EveryLayer.kfac(backend, approximation, options);
          Kfac java = EveryLayer.kfac(new JavaBackend(), approximation, options)) {
        compare(kfac, java, List.of(size, ordinary, ordinary, size, ordinary), 1);
      }
    }
  }

  private static void compare(Kfac kfac, Kfac java, List<double[]> sizes, double gradients) {
    for (int step = 0; step < sizes.size(); step++) {
      double[] size = sizes.get(step);
      double[][] expected = step(java, new Random(step), size, gradients);
      double[][] actual = step(kfac, new Random(step), size, gradients);
      for (int i = 0; i < expected.length; i++) {
        assertThat(Fixtures.error(actual[i], expected[i]))
            .as("inputs %s, gradients %s, step %d, tensor %d", size[0], size[1], step, i)
            .isLessThan(TOLERANCE);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(doubles = {1e-30, 1e-24, 1e-15, 1e9, 2e17})
  void gradientsTimesANumberAreTheSameStepAtADampingTimesItsSquare(double factor) {
    // a power of two, so that the tensors hold the same numbers
    double c = Math.scalb(1.0, Math.getExponent(factor));
    for (Approximation approximation : Approximation.values()) {
      for (DampingMode mode : approximation.dampingModes()) {
        KfacOptions options = Networks.OPTIONS.withDampingMode(mode).withDamping(0.1);
        try (Backend backend = open();
            Kfac plain = EveryLayer.kfac(backend, approximation, options);
            Kfac scaled =
                EveryLayer.kfac(backend, approximation, options.withDamping(0.1 * c * c))) {
          double[][] expected = step(plain, new Random(1), new double[] {1, 1}, 1);
          double[][] actual = step(scaled, new Random(1), new double[] {1, c}, 1);
          for (int i = 0; i < expected.length; i++) {
            double[] back = actual[i].clone();
            for (int j = 0; j < back.length; j++) {
              back[j] *= c * c;
            }
            assertThat(Fixtures.error(back, expected[i]))
                .as("%s, %s, tensor %d", approximation, mode, i)
                .isLessThan(1e-4);
          }
        }
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"1e20,1,1", "1,1e20,1", "1,1,1e200", "1,1e10,1e10", "1,1e-30,1e-40"})
  void whatIsBeyondIsRefusedByNameAndChangesNothing(double input, double grad, double scale) {
    try (Backend backend = open();
        Kfac kfac = new Kfac(backend, Map.of("fc", new Dense(3, 2, true)), Networks.OPTIONS)) {
      kfac.observe(List.of(observation(1, 1, 1)));
      Map<String, StoredTensor> before = kfac.toTensors();
      assertThatThrownBy(() -> kfac.observe(List.of(observation(input, grad, scale))))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("layer 'fc'")
          .hasMessageContaining(input > 1 ? "input" : "output gradient");
      assertThat(kfac.toTensors()).isEqualTo(before);
    }
  }

  @Test
  void factorsOfTheStateAreTrueValuesAndSurviveASave() {
    Observation tiny = observation(1e-20, 1e-24, 1);
    double[] g = new double[4];
    try (Backend backend = open();
        Kfac kfac = new Kfac(backend, Map.of("fc", new Dense(3, 2, true)), Networks.OPTIONS);
        Kfac other = new Kfac(backend, Map.of("fc", new Dense(3, 2, true)), Networks.OPTIONS);
        Kfac java =
            new Kfac(new JavaBackend(), Map.of("fc", new Dense(3, 2, true)), Networks.OPTIONS)) {
      kfac.observe(List.of(tiny));
      double[] grads = ((HostTensor) tiny.outputGrad()).toArray();
      for (int n = 0; n < 4; n++) {
        for (int i = 0; i < 4; i++) {
          g[i] += grads[n * 2 + i / 2] * grads[n * 2 + i % 2] / 4;
        }
      }
      assertThat(Fixtures.error(kfac.state().outputFactor("fc"), g)).isLessThan(1e-6);
      other.restore(kfac.toTensors());
      java.restore(kfac.toTensors());
      assertThat(other.state().outputFactor("fc")).containsExactly(kfac.state().outputFactor("fc"));
      assertThat(java.state().outputFactor("fc")).containsExactly(kfac.state().outputFactor("fc"));
      kfac.restore(java.toTensors());
      assertThat(kfac.state().outputFactor("fc")).containsExactly(java.state().outputFactor("fc"));
    }
  }

  @Test
  void aDiscardedBatchOfAnotherSizeLeavesNothing() {
    try (Backend backend = open();
        Kfac kfac = new Kfac(backend, Map.of("fc", new Dense(3, 2, true)), Networks.OPTIONS)) {
      kfac.observe(List.of(observation(1e-20, 1e-24, 1)));
      kfac.refresh();
      kfac.endStep();
      Map<String, StoredTensor> before = kfac.toTensors();
      kfac.observe(List.of(observation(1, 1, 1)));
      kfac.refresh();
      kfac.discardStep();
      assertThat(kfac.toTensors()).isEqualTo(before);
    }
  }

  private static Observation observation(double input, double grad, double scale) {
    Random random = new Random(3);
    return new Observation(
        "fc",
        Fixtures.direct(times(Networks.gaussian(random, 12), input), 4, 3),
        Fixtures.direct(times(Networks.gaussian(random, 8), grad), 4, 2),
        scale);
  }

  private static double[] times(double[] x, double factor) {
    for (int i = 0; i < x.length; i++) {
      x[i] *= factor;
    }
    return x;
  }

  private static double[][] step(Kfac kfac, Random random, double[] size, double gradientSize) {
    List<Observation> batch = new ArrayList<>();
    for (Observation one : EveryLayer.observations(random)) {
      boolean ids = one.input().shape().rank() == 1;
      if (one.layer().equals("table") && !ids) {
        continue; // frequencies of tokens beside squares of gradients: two sizes in one factor
      }
      batch.add(
          new Observation(
              one.layer(),
              scaled(one.input(), ids ? 1 : size[0]),
              scaled(one.outputGrad(), size[1]),
              one.outputGradScale()));
    }
    kfac.observe(batch);
    kfac.refresh();
    List<LayerGradient> gradients = EveryLayer.gradients(random);
    List<Tensor> tensors =
        gradients.stream()
            .flatMap(gradient -> Stream.of(gradient.weight(), gradient.bias()))
            .filter(Objects::nonNull)
            .toList();
    tensors.forEach(t -> scale((HostTensor) t, gradientSize));
    kfac.precondition(gradients);
    return tensors.stream().map(t -> ((HostTensor) t).toArray()).toArray(double[][]::new);
  }

  private static Tensor scaled(Tensor tensor, double factor) {
    scale((HostTensor) tensor, factor);
    return tensor;
  }

  private static void scale(HostTensor tensor, double factor) {
    double[] all = times(tensor.toArray(), factor);
    tensor.write(0, all, 0, all.length);
  }
}
