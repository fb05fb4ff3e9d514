package io.github.kfac4j.nqm;

/**
 * The fastest way to a target risk.
 *
 * @param batchSize B
 * @param algorithm the best method and hyperparameters
 * @param steps the last step at which the risk has not reached the target, at least 1: what the
 *     paper's figures and the authors' code count. The step after it reaches the target.
 * @param crossing where between the two the risk, interpolated in its logarithm, meets the target
 */
public record TunedRun(double batchSize, Algorithm algorithm, long steps, double crossing) {

  static TunedRun of(NoisyQuadratic model, Algorithm algorithm, long lastAbove, double target) {
    double above = Math.log(model.risk(algorithm, lastAbove));
    double below = Math.log(model.risk(algorithm, lastAbove + 1));
    double part = above > below ? (above - Math.log(target)) / (above - below) : 0;
    return new TunedRun(model.batchSize(), algorithm, Math.max(lastAbove, 1), lastAbove + part);
  }

  /** Steps times batch size: the examples that the run processes. */
  public double examples() {
    return steps * batchSize;
  }
}
