package io.github.kfac4j.trainer;

import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;

/** A value for each step, counted from 0: a learning rate, a damping or a momentum. */
public sealed interface Schedule {
  /** The value in the given step. */
  double at(long step);

  /** Always the same. */
  static Schedule constant(double value) {
    return new Constant(value);
  }

  /**
   * From {@code initial} along a line to {@code factor initial} at step {@code steps}, then
   * constant (Zhang et al. 2019, F.3).
   */
  static Schedule linear(double initial, double factor, long steps) {
    return new Linear(initial, factor, steps);
  }

  /**
   * {@code initial (1 - (t - start) / (end - start))^power} from step {@code start} to {@code end};
   * {@code initial} before, 0 after (Osawa et al. 2019).
   */
  static Schedule polynomial(double initial, long start, long end, double power) {
    return new Polynomial(initial, start, end, power);
  }

  /**
   * Constant pieces.
   *
   * @param values by the first step at which they hold; one must start at step 0
   */
  static Schedule piecewise(Map<Long, Double> values) {
    return new Piecewise(new TreeMap<>(values));
  }

  /**
   * Damping that is lowered from {@code initial} towards {@code target}: {@code x = (1 - a) x + a
   * target} in each step, {@code a = 2 log10(initial / target) / steps} (Osawa et al. 2019). It
   * approaches the target and has not reached it after {@code steps}.
   */
  static Schedule warmUp(double initial, double target, long steps) {
    return new WarmUp(initial, target, steps);
  }

  /** This schedule in other units: {@code factor} times its values. */
  default Schedule times(double factor) {
    return new Scaled(this, factor);
  }

  private static void require(boolean ok, String what, Object value) {
    if (!ok) {
      throw new IllegalArgumentException("a schedule needs " + what + " but has " + value);
    }
  }

  private static void requireValue(double value) {
    require(value >= 0 && Double.isFinite(value), "values that are finite and not negative", value);
  }

  /** See {@link #constant}. */
  record Constant(double value) implements Schedule {
    /** Checks the value. */
    public Constant {
      requireValue(value);
    }

    @Override
    public double at(long step) {
      return value;
    }
  }

  /** See {@link #linear}. */
  record Linear(double initial, double factor, long steps) implements Schedule {
    /** Checks the values. */
    public Linear {
      requireValue(initial);
      requireValue(factor);
      require(steps > 0, "a positive number of steps", steps);
    }

    @Override
    public double at(long step) {
      return initial * (1 - (1 - factor) * Math.min(step, steps) / steps);
    }
  }

  /** See {@link #polynomial}. */
  record Polynomial(double initial, long start, long end, double power) implements Schedule {
    /** Checks the values. */
    public Polynomial {
      requireValue(initial);
      require(start >= 0 && end > start, "0 <= start < end", start + " and " + end);
      require(power > 0 && Double.isFinite(power), "a positive power", power);
    }

    @Override
    public double at(long step) {
      double done = (double) (Math.min(Math.max(step, start), end) - start) / (end - start);
      return initial * Math.pow(1 - done, power);
    }
  }

  /** See {@link #piecewise}. */
  record Piecewise(NavigableMap<Long, Double> values) implements Schedule {
    /** Checks the values. */
    public Piecewise {
      require(!values.isEmpty() && values.firstKey() == 0, "a piece that starts at step 0", values);
      values.values().forEach(Schedule::requireValue);
    }

    @Override
    public double at(long step) {
      return values.floorEntry(Math.max(0, step)).getValue();
    }
  }

  /** See {@link #warmUp}. */
  record WarmUp(double initial, double target, long steps) implements Schedule {
    /** Checks the values. */
    public WarmUp {
      requireValue(initial);
      requireValue(target);
      require(target > 0 && initial >= target, "initial >= target > 0", initial + " and " + target);
      require(
          steps > 2 * Math.log10(initial / target),
          "more than 2 log10(initial / target) steps",
          steps);
    }

    @Override
    public double at(long step) {
      double rate = 2 * Math.log10(initial / target) / steps;
      return target + (initial - target) * Math.pow(1 - rate, step);
    }
  }

  /** See {@link #times}. */
  record Scaled(Schedule schedule, double factor) implements Schedule {
    /** Checks the factor. */
    public Scaled {
      requireValue(factor);
    }

    @Override
    public double at(long step) {
      return factor * schedule.at(step);
    }
  }
}
