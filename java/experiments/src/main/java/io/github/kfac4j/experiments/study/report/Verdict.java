package io.github.kfac4j.experiments.study.report;

import java.util.Locale;

/**
 * What results say of a claim.
 *
 * @param claim in words, with the paper
 * @param ruling whether it holds here
 * @param evidence the number that says so, with its 95 % interval
 */
public record Verdict(String claim, Ruling ruling, String evidence) {
  /** An end of an interval that is so close to the limit lies on it. */
  private static final double ROUNDING = 1e-9;

  /** What can be said. */
  public enum Ruling {
    HOLDS,
    FAILS,
    UNDECIDED;

    /** The word in tables. */
    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /** A claim that a quantity is above a limit; undecided where its interval contains it. */
  public static Verdict above(String claim, double limit, Interval interval, String what) {
    if (interval == null) {
      return unknown(claim);
    }
    Ruling ruling =
        interval.low() > limit + ROUNDING
            ? Ruling.HOLDS
            : interval.high() < limit - ROUNDING ? Ruling.FAILS : Ruling.UNDECIDED;
    return new Verdict(claim, ruling, "%s %s".formatted(what, interval.describe(3)));
  }

  /** A claim that a quantity is below a limit. */
  public static Verdict below(String claim, double limit, Interval interval, String what) {
    Verdict other = above(claim, limit, interval, what);
    Ruling ruling =
        switch (other.ruling) {
          case HOLDS -> Ruling.FAILS;
          case FAILS -> Ruling.HOLDS;
          case UNDECIDED -> Ruling.UNDECIDED;
        };
    return new Verdict(claim, ruling, other.evidence);
  }

  /** A claim that a quantity lies between two limits: all of its interval in or out. */
  public static Verdict between(
      String claim, double low, double high, Interval interval, String what) {
    if (interval == null) {
      return unknown(claim);
    }
    boolean inside = interval.low() >= low && interval.high() <= high;
    boolean outside = interval.high() < low || interval.low() > high;
    return new Verdict(
        claim,
        inside ? Ruling.HOLDS : outside ? Ruling.FAILS : Ruling.UNDECIDED,
        "%s %s".formatted(what, interval.describe(3)));
  }

  /** A claim that one quantity is larger than another: their intervals lie apart. */
  public static Verdict larger(String claim, Interval large, Interval small, String what) {
    if (large == null || small == null) {
      return unknown(claim);
    }
    Ruling ruling =
        large.overlaps(small)
            ? Ruling.UNDECIDED
            : large.low() > small.high() ? Ruling.HOLDS : Ruling.FAILS;
    return new Verdict(
        claim, ruling, "%s %s and %s".formatted(what, large.describe(3), small.describe(3)));
  }

  /** A claim of which the results say nothing. */
  public static Verdict unknown(String claim) {
    return new Verdict(claim, Ruling.UNDECIDED, "not measured");
  }
}
