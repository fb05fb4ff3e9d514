package io.github.kfac4j.trainer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import java.util.Map;
import org.junit.jupiter.api.Test;

class ScheduleTest {
  @Test
  void constantStays() {
    assertThat(Schedule.constant(0.1).at(0)).isEqualTo(0.1);
    assertThat(Schedule.constant(0.1).at(1_000_000)).isEqualTo(0.1);
  }

  @Test
  void linearDecayEndsAtItsFactor() {
    Schedule schedule = Schedule.linear(0.8, 0.25, 10);
    assertThat(schedule.at(0)).isEqualTo(0.8);
    assertThat(schedule.at(5)).isCloseTo(0.8 * 0.625, within(1e-15));
    assertThat(schedule.at(10)).isCloseTo(0.2, within(1e-15));
    assertThat(schedule.at(99)).isCloseTo(0.2, within(1e-15));
  }

  @Test
  void polynomialDecayIsZeroAtItsEnd() {
    Schedule schedule = Schedule.polynomial(0.03, 100, 300, 3.5);
    assertThat(schedule.at(0)).isEqualTo(0.03);
    assertThat(schedule.at(100)).isEqualTo(0.03);
    assertThat(schedule.at(150)).isCloseTo(0.03 * Math.pow(0.75, 3.5), within(1e-16));
    assertThat(schedule.at(300)).isZero();
    assertThat(schedule.at(301)).isZero();
  }

  @Test
  void piecesHoldFromTheirFirstStep() {
    Schedule schedule = Schedule.piecewise(Map.of(0L, 1.0, 40L, 0.1, 80L, 0.01)).times(3);
    assertThat(schedule.at(39)).isEqualTo(3);
    assertThat(schedule.at(40)).isCloseTo(0.3, within(1e-15));
    assertThat(schedule.at(10_000)).isCloseTo(0.03, within(1e-15));
  }

  @Test
  void warmUpFollowsItsRecurrence() {
    double initial = 0.1;
    double target = 1e-3;
    Schedule schedule = Schedule.warmUp(initial, target, 50);
    double rate = 2 * Math.log10(initial / target) / 50;
    double damping = initial;
    for (int step = 0; step < 200; step++) {
      assertThat(schedule.at(step)).isCloseTo(damping, within(1e-13));
      damping = (1 - rate) * damping + rate * target;
    }
    assertThat(schedule.at(50) / target).isBetween(2.0, 3.0); // not there yet after the warm-up
  }

  private static void refused(Runnable make, String reason) {
    assertThatIllegalArgumentException().isThrownBy(make::run).withMessageContaining(reason);
  }

  @Test
  void badSchedulesAreRefused() {
    refused(() -> Schedule.constant(-1), "finite and not negative but has -1.0");
    refused(() -> Schedule.constant(Double.NaN), "has NaN");
    refused(() -> Schedule.linear(1, 0, 0), "positive number of steps but has 0");
    refused(() -> Schedule.polynomial(1, 5, 5, 1), "0 <= start < end but has 5 and 5");
    refused(() -> Schedule.polynomial(1, 0, 5, 0), "a positive power but has 0.0");
    refused(() -> Schedule.piecewise(Map.of(1L, 1.0)), "a piece that starts at step 0");
    refused(() -> Schedule.warmUp(1e-3, 1e-2, 10), "initial >= target > 0");
    refused(() -> Schedule.warmUp(1, 1e-3, 6), "more than 2 log10(initial / target) steps");
  }

  @Test
  void contradictoryRulesAreRefused() {
    Schedule one = Schedule.constant(1);
    Schedule half = Schedule.constant(0.5);
    refused(() -> new Rates.Scheduled(one, one), "momentum must be below 1 but is 1.0");
    refused(
        () -> new Rates.Scheduled(one, half, Rates.Memory.UPDATE, Rates.Order.MOMENTUM_FIRST),
        "memory of gradients");
    refused(() -> DampingRule.constant(0), "damping must be positive but is 0.0");
    refused(() -> new WeightDecay(WeightDecay.Mode.L2, -1), "must not be negative but is -1.0");
    refused(
        () -> new DampingRule.LevenbergMarquardt(1, 0, 0.95, 1e-8, 10, 0), "a positive interval");
    refused(() -> new DampingRule.LevenbergMarquardt(1, 5, 1, 1e-8, 10, 0), "omega in (0, 1)");
    refused(() -> new DampingRule.LevenbergMarquardt(1, 5, 0.9, 0, 10, 0), "0 < min <= max");
    refused(() -> new DampingRule.LevenbergMarquardt(1, 5, 0.9, 2, 10, 0), "within its bounds");
    refused(() -> new DampingRule.LevenbergMarquardt(1, 5, 0.9, 1, 10, -1), "gamma");
  }
}
