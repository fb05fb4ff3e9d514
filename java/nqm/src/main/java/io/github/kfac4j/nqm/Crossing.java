package io.github.kfac4j.nqm;

/**
 * When a run's risk falls below a target: the bisection of the authors' published code.
 *
 * <p>It halves a fixed bracket, so that it finds the only crossing where there is one. Underdamped
 * momentum can cross more than once; then it finds one of the crossings, and the published figures
 * depend on which.
 *
 * @param model the problem
 * @param target the risk to fall below
 * @param bracket no run is followed for longer
 */
record Crossing(NoisyQuadratic model, double target, long bracket) {

  /** Says that the run does not fall below the target before the given limit. */
  static final long NOT_BEFORE_LIMIT = -1;

  /**
   * The last step at which the risk is not below the target, if it is less than the limit.
   *
   * @param limit only an earlier crossing is of interest
   */
  long lastAbove(Algorithm algorithm, long limit) {
    if (limit == 0 || !model.isStable(algorithm) || !(model.steadyRisk(algorithm) < target)) {
      return NOT_BEFORE_LIMIT;
    }
    Trajectory trajectory = new Trajectory(model, algorithm);
    // the bisection passes this point if it ends before the limit: it rules out most runs
    long probe = bracket;
    while (probe >>> 1 >= limit) {
      probe >>>= 1;
    }
    if (!trajectory.isBelow(target, probe)) {
      return NOT_BEFORE_LIMIT;
    }
    long low = 0;
    long high = bracket;
    while (low < high - 1) {
      long middle = (low + high) >>> 1;
      if (trajectory.isBelow(target, middle)) {
        high = middle;
      } else if (middle < limit) {
        low = middle;
      } else {
        return NOT_BEFORE_LIMIT;
      }
    }
    return low;
  }
}
