package io.github.kfac4j.nqm;

import java.util.Optional;

/**
 * Finds the hyperparameters that reach a target risk in the fewest steps. Immutable and safe to
 * share between threads.
 *
 * <p>The grids are those of the authors' published code, in units of the rate 1 / max h^(1-p),
 * which is 1 for the paper's spectrum.
 */
public final class Tuner {
  /** No run is followed for longer; momentum and averages for a hundredth of it. */
  public static final long MAX_STEPS = 1_000_000_000L;

  private final Spectrum spectrum;

  /** Tunes on this spectrum. */
  public Tuner(Spectrum spectrum) {
    this.spectrum = spectrum;
  }

  /**
   * Searches the protocol's grid: 100 learning rates, for momentum and the average with each of 20
   * decays.
   *
   * @param power p in [0, 1]
   * @param batchSize B, positive
   * @param target risk to fall below, positive
   * @return the first best point of the grid, or empty if none reaches the target in the steps that
   *     are followed
   */
  public Optional<TunedRun> tune(Method method, double power, double batchSize, double target) {
    return search(new NoisyQuadratic(spectrum, power, batchSize), grid(method, power), target);
  }

  /**
   * As {@link #tune}, with the decay held (beta = 0.9, say).
   *
   * @param decay in [0, 1)
   */
  public Optional<TunedRun> tuneRate(
      Method method, double decay, double power, double batchSize, double target) {
    return search(
        new NoisyQuadratic(spectrum, power, batchSize),
        grid(method, power).withDecay(decay),
        target);
  }

  /** As {@link #tune}, then refined between the points of the grid. */
  public Optional<TunedRun> tuneContinuously(
      Method method, double power, double batchSize, double target) {
    NoisyQuadratic model = new NoisyQuadratic(spectrum, power, batchSize);
    Grid grid = grid(method, power);
    return search(model, grid, target)
        .map(run -> Refinement.of(model, target, run, grid.rateSpacing(), grid.decaySpacing()));
  }

  private Grid grid(Method method, double power) {
    return Grid.protocol(method, Math.pow(spectrum.largest(), power - 1));
  }

  private static Optional<TunedRun> search(NoisyQuadratic model, Grid grid, double target) {
    requireTarget(target);
    long longest = grid.method() == Method.SGD ? MAX_STEPS : MAX_STEPS / 100;
    Crossing crossing = new Crossing(model, target, longest);
    Algorithm best = null;
    long steps = longest;
    for (double rate : grid.learningRates()) {
      for (double decay : grid.decays()) {
        Algorithm candidate = new Algorithm(grid.method(), rate, decay);
        long lastAbove = crossing.lastAbove(candidate, steps);
        if (lastAbove != Crossing.NOT_BEFORE_LIMIT) {
          steps = lastAbove;
          best = candidate;
        }
      }
    }
    return best == null ? Optional.empty() : Optional.of(TunedRun.of(model, best, steps, target));
  }

  static void requireTarget(double target) {
    if (!(target > 0) || Double.isInfinite(target)) {
      throw new IllegalArgumentException(
          "the target risk must be positive and finite, not " + target);
    }
  }
}
