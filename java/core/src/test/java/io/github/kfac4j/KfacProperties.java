package io.github.kfac4j;

import static io.github.kfac4j.Networks.OPTIONS;
import static io.github.kfac4j.Networks.gaussian;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Offset.offset;

import io.github.kfac4j.data.LayerReport;
import io.github.kfac4j.data.Observation;
import io.github.kfac4j.layer.Dense;
import io.github.kfac4j.options.Convention;
import io.github.kfac4j.options.DampingMode;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.testkit.Fixtures;
import io.github.kfac4j.testkit.Literal;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Scale;

class KfacProperties {
  @Property(tries = 50)
  void theDampedProductDoesNotChangeWhenScaleMovesBetweenFactors(
      @ForAll @IntRange(min = 1, max = 6) int in,
      @ForAll @IntRange(min = 1, max = 6) int out,
      @ForAll @DoubleRange(min = 0.01, max = 100) double c,
      @ForAll DampingMode mode,
      @ForAll long seed) {
    Random random = new Random(seed);
    double[] x = gaussian(random, 8 * in);
    double[] g = gaussian(random, 8 * out);
    double[] dw = gaussian(random, in * out);
    double[][] u = new double[2][];
    for (int i = 0; i < 2; i++) {
      double f = i == 0 ? 1 : c;
      double[] scaledX = Arrays.stream(x).map(v -> v * f).toArray();
      double[] scaledG = Arrays.stream(g).map(v -> v / f).toArray();
      try (Kfac kfac = Networks.kfac(new Dense(in, out, false), OPTIONS.withDampingMode(mode))) {
        u[i] =
            Networks.precondition(
                kfac,
                Networks.observation(HostTensor.of(scaledX, 8, in), HostTensor.of(scaledG, 8, out)),
                dw);
      }
    }
    assertThat(Fixtures.error(u[1], u[0])).isLessThan(1e-8);
  }

  @Property(tries = 50)
  void preconditioningIsTheExplicitKroneckerInverse(
      @ForAll @IntRange(min = 1, max = 5) int in,
      @ForAll @IntRange(min = 1, max = 5) int out,
      @ForAll boolean bias,
      @ForAll long seed) {
    Random random = new Random(seed);
    int cols = bias ? in + 1 : in;
    double[] dw = gaussian(random, out * cols);
    Dense layer = new Dense(in, out, bias);
    try (Kfac kfac = Networks.kfac(layer, OPTIONS)) {
      Observation observation =
          Networks.observation(
              HostTensor.of(gaussian(random, 9 * in), 9, in),
              HostTensor.of(gaussian(random, 9 * out), 9, out));
      kfac.observe(List.of(observation));
      LayerReport.GroupReport report = kfac.refresh().get(0).perGroup().get(0);
      double[] u = Networks.step(kfac, "layer", dw);
      double[] a = Fixtures.damped(kfac.state().inputFactor("layer"), cols, 1, report.dampingA());
      double[] g = Fixtures.damped(kfac.state().outputFactor("layer"), out, 1, report.dampingG());
      double[] block = Literal.kronecker(g, out, a, cols);
      assertThat(Fixtures.error(u, Networks.exact(block, 0, dw))).isLessThan(1e-8);
      assertThat(report.dampingA() * report.dampingG()).isCloseTo(1e-3, offset(1e-12));
    }
  }

  @Property(tries = 100)
  void aClippedStepIsNoLongerThanTheBound(
      @ForAll @DoubleRange(min = 1e-6, max = 10) @Scale(6) double kappa,
      @ForAll @DoubleRange(min = 1e-4, max = 10) @Scale(4) double learningRate,
      @ForAll @DoubleRange(min = 1e-3, max = 1e3) @Scale(3) double size,
      @ForAll Convention convention,
      @ForAll long seed) {
    Random random = new Random(seed);
    double[] dw = gaussian(random, 12);
    for (int i = 0; i < dw.length; i++) {
      dw[i] *= size;
    }
    KfacOptions options = OPTIONS.withConvention(convention);
    Observation observation =
        Networks.observation(
            HostTensor.of(gaussian(random, 20), 5, 4), HostTensor.of(gaussian(random, 15), 5, 3));
    double[] free;
    double[] clipped;
    try (Kfac kfac = Networks.kfac(new Dense(4, 3, false), options)) {
      free = Networks.precondition(kfac, observation, dw);
    }
    try (Kfac kfac =
        Networks.kfac(new Dense(4, 3, false), options.withKlClip(kappa, learningRate))) {
      clipped = Networks.precondition(kfac, observation, dw);
    }
    double inner = 0;
    double freeInner = 0;
    for (int i = 0; i < dw.length; i++) {
      inner += clipped[i] * dw[i];
      freeInner += free[i] * dw[i];
    }
    // <U, dW> is linear in the clip, the squared length quadratic
    double nu = inner / freeInner;
    double length = learningRate * learningRate * nu * inner;
    assertThat(length).isLessThanOrEqualTo(kappa * (1 + 1e-9));
    if (learningRate * learningRate * freeInner <= kappa) {
      assertThat(nu).isCloseTo(1, offset(1e-12));
    } else {
      assertThat(length).isCloseTo(kappa, offset(1e-9 * kappa));
    }
  }
}
