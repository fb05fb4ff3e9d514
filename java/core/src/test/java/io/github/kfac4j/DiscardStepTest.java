package io.github.kfac4j;

import static io.github.kfac4j.Networks.OPTIONS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.github.kfac4j.data.LayerGradient;
import io.github.kfac4j.data.Observation;
import io.github.kfac4j.data.Share;
import io.github.kfac4j.layer.Dense;
import io.github.kfac4j.options.Approximation;
import io.github.kfac4j.options.Convention;
import io.github.kfac4j.options.Intervals;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.reference.JavaBackend;
import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.testkit.EveryLayer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** A step that was dropped at any point leaves no trace. */
class DiscardStepTest {
  /** How far a bad step came. */
  enum Point {
    HALF_OBSERVED,
    OBSERVED,
    REFRESHED,
    REFRESHED_WITH_OTHER_SETTINGS,
    PREVIEWED,
    REFUSED
  }

  private static void goTo(Point point, Kfac kfac, Random random) {
    kfac.observe(EveryLayer.observations(random), Share.of(0.5));
    if (point == Point.HALF_OBSERVED) {
      return;
    }
    if (point == Point.REFUSED) {
      List<Observation> batch = EveryLayer.observations(random);
      ((HostTensor) batch.get(0).input()).write(0, new double[] {Double.NaN}, 0, 1);
      assertThatThrownBy(() -> kfac.observe(batch, Share.of(0.5)))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContainingAll("layer 'fc'", "index 0", "discardStep()");
      return;
    }
    kfac.observe(EveryLayer.observations(random), Share.of(0.5));
    if (point == Point.OBSERVED) {
      return;
    }
    KfacOptions options = kfac.options();
    if (point == Point.REFRESHED_WITH_OTHER_SETTINGS) {
      kfac.reconfigure(options.withDamping(7));
    }
    kfac.refresh();
    kfac.reconfigure(options);
    if (point == Point.PREVIEWED) {
      kfac.preview(EveryLayer.gradients(random));
    }
  }

  private static Stream<Arguments> pointsAndApproximations() {
    return Stream.of(Point.values())
        .flatMap(p -> Stream.of(Approximation.values()).map(a -> Arguments.of(p, a)));
  }

  private static Kfac kfac(Approximation approximation) {
    KfacOptions options = OPTIONS.withDecay(0.9).withIntervals(1, 2);
    return EveryLayer.kfac(new JavaBackend(), approximation, options);
  }

  @ParameterizedTest
  @MethodSource("pointsAndApproximations")
  void theNextStepsAreThoseOfARunWithoutIt(Point point, Approximation approximation) {
    try (Kfac straight = kfac(approximation);
        Kfac other = kfac(approximation)) {
      for (int step = 0; step < 5; step++) {
        goTo(point, other, new Random(100 + step));
        other.discardStep();
        other.discardStep(); // nothing is left to drop
        assertThat(other.state().toTensors()).isEqualTo(straight.state().toTensors());
        assertThat(EveryLayer.step(other, new Random(step)))
            .isDeepEqualTo(EveryLayer.step(straight, new Random(step)));
      }
      assertThat(other.state().toTensors()).isEqualTo(straight.state().toTensors());
    }
  }

  @ParameterizedTest
  @EnumSource(value = Point.class, mode = EnumSource.Mode.EXCLUDE, names = "REFUSED")
  void intervalsThatLayersFindThemselvesGoOnAsWithoutIt(Point point) {
    KfacOptions options = OPTIONS.withDecay(0.9).withIntervals(Intervals.adaptive(0.3));
    try (Kfac straight = new Kfac(new JavaBackend(), EveryLayer.layers(), options);
        Kfac other = new Kfac(new JavaBackend(), EveryLayer.layers(), options)) {
      for (int step = 0; step < 8; step++) {
        goTo(point, other, new Random(100 + step));
        other.discardStep();
        assertThat(EveryLayer.step(other, new Random(step)))
            .isDeepEqualTo(EveryLayer.step(straight, new Random(step)));
        assertThat(other.state().toTensors()).isEqualTo(straight.state().toTensors());
      }
    }
  }

  /** The running averages of this convention start from the identity. */
  @Test
  void theFirstStepOfAllCanBeDropped() {
    KfacOptions options = OPTIONS.withDecay(0.9).withConvention(Convention.KFAC_PYTORCH);
    try (Kfac kfac = Networks.kfac(new Dense(1, 1, false), options)) {
      var before = kfac.state().toTensors();
      kfac.observe(List.of(scalar(5)));
      kfac.refresh();
      kfac.discardStep();
      assertThat(kfac.state().toTensors()).isEqualTo(before);
    }
  }

  private static Observation scalar(double square) {
    return Networks.observation(
        HostTensor.of(new double[] {Math.sqrt(square)}, 1, 1),
        HostTensor.of(new double[] {1}, 1, 1));
  }

  @Test
  void anAbandonedHalfDoesNotStayInTheAverages() {
    try (Kfac kfac = Networks.kfac(new Dense(1, 1, false), OPTIONS.withDecay(0.5))) {
      kfac.observe(List.of(scalar(100)), Share.of(0.5));
      kfac.discardStep();
      List<Double> a = new ArrayList<>();
      for (double square : new double[] {3, 5}) {
        kfac.observe(List.of(scalar(square)), Share.of(0.5));
        a.add(kfac.state().inputFactor("layer")[0]);
      }
      assertThat(a.get(0)).isCloseTo(3, within(1e-15));
      assertThat(a.get(1)).isCloseTo(4, within(1e-15));
    }
  }

  @Test
  void aStepThatHasEndedIsNotDropped() {
    try (Kfac kfac = kfac(Approximation.KRONECKER)) {
      EveryLayer.step(kfac, new Random(1));
      var after = kfac.state().toTensors();
      kfac.discardStep();
      assertThat(kfac.state().toTensors()).isEqualTo(after);
    }
  }

  @Test
  void whatWasLoadedIsNotDroppedAndEndsTheStepBegun(@TempDir Path directory) throws IOException {
    Path file = directory.resolve("state.safetensors");
    try (Kfac saved = kfac(Approximation.KRONECKER);
        Kfac kfac = kfac(Approximation.KRONECKER)) {
      EveryLayer.step(saved, new Random(1));
      saved.state().save(file);
      kfac.observe(EveryLayer.observations(new Random(2)), Share.of(0.5));
      kfac.state().load(file);
      kfac.discardStep();
      assertThat(kfac.state().toTensors()).isEqualTo(saved.state().toTensors());
      kfac.observe(EveryLayer.observations(new Random(3))); // a whole share, no half
    }
  }

  @Test
  void theMessageOfBadGradientsNamesTheCall() {
    try (Kfac kfac = Networks.kfac(new Dense(1, 1, false), OPTIONS)) {
      kfac.observe(List.of(scalar(1)));
      kfac.refresh();
      HostTensor bad = HostTensor.of(new double[] {Double.NaN}, 1, 1);
      assertThatThrownBy(() -> kfac.precondition(List.of(new LayerGradient("layer", bad))))
          .hasMessage(
              "layer 'layer': weight gradient holds a NaN or infinity at flat index 0;"
                  + " discardStep() drops this step");
    }
  }
}
