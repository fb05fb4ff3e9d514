package io.github.kfac4j.experiments.study.batchsize;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.github.kfac4j.experiments.study.batchsize.Bootstrap.Runs;
import io.github.kfac4j.experiments.study.batchsize.CriticalBatch.Point;
import io.github.kfac4j.experiments.study.report.Interval;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class BootstrapTest {
  private static final double NEVER = Double.POSITIVE_INFINITY;

  @Test
  void mediansAreTheCurve() {
    List<Runs> runs =
        List.of(
            new Runs(32, new double[] {300, 100, 200}),
            new Runs(64, new double[] {50, NEVER, 70, 60}),
            new Runs(128, new double[] {10, NEVER, NEVER}));
    assertThat(Bootstrap.points(runs)).containsExactly(new Point(32, 200), new Point(64, 65));
  }

  @Test
  void equalRunsLeaveNoDoubt() {
    List<Runs> runs =
        List.of(new Runs(32, new double[] {9, 9, 9}), new Runs(64, new double[] {7, 7, 7}));
    Interval steps = Bootstrap.interval(runs, points -> points.get(1).steps());
    assertThat(steps).isEqualTo(new Interval(7, 7));
  }

  /** The median of 25 uniform numbers has a standard deviation of about 0.5 / sqrt(27). */
  @Test
  void theIntervalOfAMedianIsAboutTwoDeviations() {
    Random random = new Random(5);
    double covered = 0;
    double width = 0;
    for (int experiment = 0; experiment < 200; experiment++) {
      double[] values = new double[25];
      Arrays.setAll(values, i -> random.nextDouble());
      Interval interval =
          Bootstrap.interval(List.of(new Runs(1, values)), points -> points.get(0).steps());
      covered += interval.low() <= 0.5 && 0.5 <= interval.high() ? 1.0 / 200 : 0;
      width += (interval.high() - interval.low()) / 200;
    }
    assertThat(covered).isBetween(0.88, 1.0); // nominal 0.95; 200 experiments deviate by 0.015
    assertThat(width).isEqualTo(4 * 0.5 / Math.sqrt(27), within(0.08));
  }

  @Test
  void whatMayLieAboveAllThatWasMeasuredHasNoUpperEnd() {
    List<Runs> runs =
        List.of(new Runs(32, new double[] {100}), new Runs(64, new double[] {60, 60, 150, 150}));
    Interval critical = Bootstrap.interval(runs, points -> CriticalBatch.of(points).value());
    assertThat(critical.low()).isBetween(32.0, 64.0);
    assertThat(critical.high()).isEqualTo(Double.POSITIVE_INFINITY);
    assertThat(critical.describe(3)).startsWith("at least ");
  }

  @Test
  void intervalsOverlapWhereTheyShareAValue() {
    assertThat(new Interval(1, 2).overlaps(new Interval(2, 3))).isTrue();
    assertThat(new Interval(1, 2).overlaps(new Interval(2.1, NEVER))).isFalse();
    assertThat(new Interval(1, NEVER).overlaps(new Interval(NEVER, NEVER))).isTrue();
    assertThat(new Interval(NEVER, NEVER).describe(3)).isEqualTo("above all measured");
    assertThat(new Interval(0.5, 12345).describe(3)).isEqualTo("0.5 to 12300");
    assertThat(Interval.of(new double[] {Double.NaN})).isNull();
  }
}
