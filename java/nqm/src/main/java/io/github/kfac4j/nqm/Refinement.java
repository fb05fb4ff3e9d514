package io.github.kfac4j.nqm;

/**
 * A compass search between the points of a grid: over the logarithms of the learning rate and of 1
 * - decay, with steps that start at the grid's spacing and are halved when none of them helps.
 */
final class Refinement {
  /** Relative precision of the rate and of 1 - decay. */
  private static final double PRECISION = 1e-3;

  private final NoisyQuadratic model;
  private final double target;
  private TunedRun best;

  private Refinement(NoisyQuadratic model, double target, TunedRun start) {
    this.model = model;
    this.target = target;
    this.best = start;
  }

  /**
   * @param rateStep initial step of the log rate
   * @param decayStep initial step of log(1 - decay); 0 holds the decay
   */
  static TunedRun of(
      NoisyQuadratic model, double target, TunedRun start, double rateStep, double decayStep) {
    Refinement search = new Refinement(model, target, start);
    for (double scale = 1; scale * Math.max(rateStep, decayStep) > PRECISION; scale /= 2) {
      while (search.improve(scale * rateStep, scale * decayStep)) {
        // as long as this step size helps
      }
    }
    return search.best;
  }

  private boolean improve(double rateStep, double decayStep) {
    boolean improved = false;
    for (int sign = -1; sign <= 1; sign += 2) {
      improved |= tryPoint(sign * rateStep, 0);
      if (decayStep > 0) {
        improved |= tryPoint(0, sign * decayStep);
        // along the ridge of constant alpha / (1 - decay)
        improved |= tryPoint(sign * rateStep, sign * rateStep);
      }
    }
    return improved;
  }

  private boolean tryPoint(double rateStep, double decayStep) {
    Algorithm from = best.algorithm();
    double decay = Math.max(0, 1 - (1 - from.decay()) * Math.exp(decayStep));
    if (decay >= 1) {
      return false;
    }
    Algorithm candidate =
        new Algorithm(from.method(), from.learningRate() * Math.exp(rateStep), decay);
    long limit = (long) best.crossing() + 1;
    long lastAbove = new Crossing(model, target, 2 * limit).lastAbove(candidate, limit);
    if (lastAbove == Crossing.NOT_BEFORE_LIMIT) {
      return false;
    }
    TunedRun run = TunedRun.of(model, candidate, lastAbove, target);
    if (run.crossing() >= best.crossing() * (1 - 1e-9)) {
      return false;
    }
    best = run;
    return true;
  }
}
