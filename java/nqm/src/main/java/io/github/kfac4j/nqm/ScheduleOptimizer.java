package io.github.kfac4j.nqm;

import java.util.Arrays;
import java.util.Optional;
import java.util.function.LongPredicate;

/**
 * Optimal piecewise-constant learning rates for SGD: the risk at the end is minimised by BFGS with
 * the analytic gradient, and the length by bisection.
 *
 * <p>Every rate stays below the limit 2 / (h~_1 + h~_d + margin) of the published protocol, h~ =
 * h^(1-p). The library's quasi-Newton method has no bounds of its own, so that the rates are mapped
 * from unbounded variables, in two ways; see {@link RateMap}. The risk has more than one minimum
 * over the rates, hence two starts. Immutable and safe to share between threads.
 */
public final class ScheduleOptimizer {
  /** Where the search from far below starts, as a share of the limit. */
  private static final double LOW_START = Math.exp(-5);

  /** Where the search from near the limit starts. */
  private static final double HIGH_START = Math.exp(-0.64);

  /** A rate this near to the limit or nearer is moved off it, or the search could not leave it. */
  private static final double OFF_LIMIT = Math.exp(-0.09);

  /** Pieces of at most this many steps are coarse: one more or less is a tenth and more. */
  private static final long COARSE = 10;

  private final NoisyQuadratic model;
  private final ScheduleRisk risk;
  private final double limit;

  /** Schedules on this model. */
  public ScheduleOptimizer(NoisyQuadratic model) {
    this.model = model;
    this.risk = new ScheduleRisk(model);
    double steepest = Math.pow(model.spectrum().largest(), 1 - model.power());
    double flattest = Math.pow(model.spectrum().smallest(), 1 - model.power());
    this.limit = 2 / (steepest + flattest + 1e-4 * steepest);
  }

  /** No rate exceeds it. */
  double rateLimit() {
    return limit;
  }

  /**
   * The rates with the lowest risk at the end of a schedule of this shape.
   *
   * @param pieces positive
   * @param stepsPerPiece k, positive
   */
  public LearningRateSchedule optimize(int pieces, long stepsPerPiece) {
    requirePieces(pieces);
    LearningRateSchedule fromBelow = fromBelow(pieces, stepsPerPiece);
    LearningRateSchedule fromAbove = fromAbove(pieces, stepsPerPiece);
    return risk.risk(fromBelow) <= risk.risk(fromAbove) ? fromBelow : fromAbove;
  }

  private LearningRateSchedule fromBelow(int pieces, long steps) {
    LogRisk coarse = new LogRisk(risk, RateMap.LOGISTIC, limit, pieces, steps);
    double[] rates = coarse.minimize(filled(pieces, LOW_START));
    for (int j = 0; j < pieces; j++) {
      rates[j] = Math.min(rates[j], OFF_LIMIT * limit);
    }
    LogRisk fine = new LogRisk(risk, RateMap.SQUARE, limit, pieces, steps);
    return new LearningRateSchedule(fine.minimize(rates), steps);
  }

  private LearningRateSchedule fromAbove(int pieces, long steps) {
    LogRisk search = new LogRisk(risk, RateMap.SQUARE, limit, pieces, steps);
    return new LearningRateSchedule(search.minimize(filled(pieces, HIGH_START)), steps);
  }

  private double[] filled(int pieces, double share) {
    double[] rates = new double[pieces];
    Arrays.fill(rates, share * limit);
    return rates;
  }

  /**
   * The shortest schedule that falls below the target. Where one step per piece is more than
   * enough, the pieces get fewer instead.
   *
   * @param pieces positive
   * @param target risk, positive
   * @return empty if none does within {@link Tuner#MAX_STEPS}
   */
  public Optional<TunedSchedule> fewestSteps(int pieces, double target) {
    requirePieces(pieces);
    Tuner.requireTarget(target);
    // no estimate from fewer examples is good enough, let alone a schedule
    double bound = InformationBound.bayesSteps(model.spectrum(), model.batchSize(), target);
    if (bound > Tuner.MAX_STEPS) {
      return Optional.empty();
    }
    long low = (long) bound / pieces;
    if (low == 0 && reaches(pieces, 1, target)) {
      return Optional.of(tuned((int) shortest(0, pieces, n -> reaches((int) n, 1, target)), 1));
    }
    long high = Math.max(1, low);
    do {
      high *= 2;
      if (high * pieces > 2 * Tuner.MAX_STEPS) {
        return Optional.empty();
      }
    } while (!reaches(pieces, high, target));
    long steps = shortest(low, high, k -> reaches(pieces, k, target));
    return Optional.of(
        steps > COARSE ? tuned(pieces, steps) : withFewerPieces(pieces, steps, target));
  }

  private TunedSchedule withFewerPieces(int mostPieces, long longest, double target) {
    int pieces = mostPieces;
    long steps = longest;
    for (int n = mostPieces - 1; n > 0; n--) {
      long shorter = (pieces * steps - 1) / n;
      while (shorter > 0 && reaches(n, shorter, target)) {
        pieces = n;
        steps = shorter;
        shorter = (pieces * steps - 1) / n;
      }
    }
    return tuned(pieces, steps);
  }

  /** The smallest length that is enough, between one that is not and one that is. */
  private static long shortest(long tooShort, long enough, LongPredicate isEnough) {
    long low = tooShort;
    long high = enough;
    while (low < high - 1) {
      long middle = (low + high) >>> 1;
      if (isEnough.test(middle)) {
        high = middle;
      } else {
        low = middle;
      }
    }
    return high;
  }

  private boolean reaches(int pieces, long steps, double target) {
    return risk.risk(fromBelow(pieces, steps)) < target
        || risk.risk(fromAbove(pieces, steps)) < target;
  }

  private TunedSchedule tuned(int pieces, long stepsPerPiece) {
    LearningRateSchedule schedule = optimize(pieces, stepsPerPiece);
    return new TunedSchedule(model.batchSize(), schedule, risk.risk(schedule));
  }

  private static void requirePieces(int pieces) {
    if (pieces < 1) {
      throw new IllegalArgumentException("a schedule needs at least one piece, not " + pieces);
    }
  }
}
