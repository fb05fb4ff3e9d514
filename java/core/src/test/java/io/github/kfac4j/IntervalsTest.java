package io.github.kfac4j;

import static io.github.kfac4j.Networks.OPTIONS;
import static io.github.kfac4j.Networks.gaussian;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.kfac4j.layer.Dense;
import io.github.kfac4j.options.Approximation;
import io.github.kfac4j.options.Intervals;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.safetensors.StoredTensor;
import io.github.kfac4j.tensor.HostTensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** When factors and inverses are renewed: burn-in, and intervals that layers find themselves. */
class IntervalsTest {
  private static final Dense LAYER = new Dense(4, 2, true);
  private static final KfacOptions ADAPTIVE = OPTIONS.withIntervals(Intervals.adaptive(0.1));
  private final double[] x = gaussian(new Random(1), 24);
  private final double[] g = gaussian(new Random(2), 12);

  /** One step with the same data, scaled; whether it was observed and refreshed. */
  private boolean step(Kfac kfac, double scale) {
    boolean observes = kfac.wantsObservations();
    assertThat(kfac.wantsRefresh()).isEqualTo(observes);
    if (observes) {
      double[] scaled = x.clone();
      for (int i = 0; i < scaled.length; i++) {
        scaled[i] *= scale;
      }
      kfac.observe(
          List.of(Networks.observation(HostTensor.of(scaled, 6, 4), HostTensor.of(g, 6, 2))));
      assertThat(kfac.refresh()).hasSize(1);
    }
    Networks.step(kfac, "layer", gaussian(new Random(3), 10));
    return observes;
  }

  private List<Integer> refreshes(Kfac kfac, int from, int to, double scale) {
    List<Integer> steps = new ArrayList<>();
    for (int i = from; i < to; i++) {
      if (step(kfac, scale)) {
        steps.add(i);
      }
    }
    return steps;
  }

  @ParameterizedTest
  @EnumSource(
      value = Approximation.class,
      names = {"KRONECKER", "DIAGONAL"})
  void constantStatisticsAreRenewedAtFibonacciIntervals(Approximation approximation) {
    try (Kfac kfac = Networks.kfac(LAYER, ADAPTIVE.withApproximation(approximation))) {
      // two intervals of 1 until there are two earlier values, then 2, 3, 5, 8, 13
      assertThat(refreshes(kfac, 0, 40, 1)).containsExactly(0, 1, 2, 4, 7, 12, 20, 33);
    }
  }

  /** Or it would be K-FAC with exact damping, at a higher price. */
  @Test
  void ekfacNeedsObservationsBetweenRefreshes() {
    KfacOptions ekfac = KfacOptions.DEFAULT.withApproximation(Approximation.EKFAC);
    assertThat(ekfac.intervals()).isEqualTo(Intervals.of(1, 10));
    assertThat(KfacOptions.DEFAULT.withApproximation("fc", Approximation.EKFAC).intervals())
        .isEqualTo(Intervals.of(1, 10));
    assertThat(
            KfacOptions.DEFAULT
                .withIntervals(3, 6)
                .withApproximation(Approximation.EKFAC)
                .intervals())
        .isEqualTo(Intervals.of(3, 6));
    for (Intervals bad : List.of(Intervals.of(5, 5), Intervals.of(6, 5), Intervals.adaptive(0.1))) {
      assertThatThrownBy(() -> ekfac.withIntervals(bad))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("EKFAC measures its moments between refreshes");
    }
  }

  @Test
  void aJumpHalvesTheInterval() {
    try (Kfac kfac = Networks.kfac(LAYER, ADAPTIVE)) {
      refreshes(kfac, 0, 20, 1); // the last was at 12; the next interval is 8
      // at 20 the interval 8 becomes 4; at 24 it is like the last one only, so 4 stays; then 8
      assertThat(refreshes(kfac, 20, 45, 2)).containsExactly(20, 24, 28, 36);
    }
  }

  @Test
  void intervalsContinueWhereTheyWereSaved(@TempDir Path directory) throws IOException {
    Path file = directory.resolve("state.safetensors");
    try (Kfac kfac = Networks.kfac(LAYER, ADAPTIVE);
        Kfac resumed = Networks.kfac(LAYER, ADAPTIVE)) {
      refreshes(kfac, 0, 9, 1);
      kfac.state().save(file);
      resumed.state().load(file);
      assertThat(refreshes(resumed, 9, 40, 1))
          .containsExactlyElementsOf(refreshes(kfac, 9, 40, 1))
          .containsExactly(12, 20, 33);
    }
  }

  @Test
  void intervalsEndAtTheLongest() {
    try (Kfac kfac = Networks.kfac(LAYER, ADAPTIVE)) {
      refreshes(kfac, 0, 7, 1); // the next is due
      Map<String, StoredTensor> saved = new HashMap<>(kfac.state().toTensors());
      double[] counters = new double[11];
      saved.get("layer.counters").asDoubleBuffer().get(counters);
      counters[5] = Integer.MAX_VALUE; // the last interval, and the one before
      counters[6] = Integer.MAX_VALUE;
      saved.put("layer.counters", StoredTensor.of(counters, counters.length));
      kfac.state().restore(saved);
      assertThat(refreshes(kfac, 7, 20, 1)).containsExactly(7);
      kfac.state().restore(kfac.state().toTensors());
    }
  }

  @Test
  void theBurnInGathersStatisticsAndStandsStill() {
    KfacOptions options = OPTIONS.withIntervals(Intervals.of(2, 4).withBurnIn(3)).withDecay(0.9);
    try (Kfac kfac = Networks.kfac(LAYER, options)) {
      for (int i = 0; i < 3; i++) {
        assertThat(kfac.wantsObservations()).isTrue();
        assertThat(kfac.wantsRefresh()).isFalse();
        kfac.observe(List.of(Networks.observation(HostTensor.of(x, 6, 4), HostTensor.of(g, 6, 2))));
        assertThat(Networks.step(kfac, "layer", gaussian(new Random(3), 10))).containsOnly(0, -0.0);
      }
      assertThat(kfac.wantsRefresh()).isTrue();
      kfac.observe(List.of(Networks.observation(HostTensor.of(x, 6, 4), HostTensor.of(g, 6, 2))));
      kfac.refresh();
      assertThat(Networks.step(kfac, "layer", gaussian(new Random(3), 10))).doesNotContain(0);
      assertThat(kfac.wantsObservations()).isFalse();
    }
  }

  @Test
  void badIntervalsAreRefused() {
    assertThatThrownBy(() -> Intervals.of(1, 1).withBurnIn(-1))
        .hasMessage("burn-in must be at least 0 but is -1");
    assertThatThrownBy(() -> Intervals.adaptive(1)).hasMessageContaining("similarity must be in");
    assertThatThrownBy(() -> new Intervals(2, 4, 0, OptionalDouble.of(0.1)))
        .hasMessage("intervals must be 1 where layers find their own but is 2 and 4");
    try (Kfac kfac = Networks.kfac(LAYER, OPTIONS)) {
      assertThatThrownBy(() -> kfac.reconfigure(ADAPTIVE)).hasMessageContaining("for the life");
    }
  }
}
