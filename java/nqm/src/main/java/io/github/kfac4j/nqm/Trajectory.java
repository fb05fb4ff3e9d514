package io.github.kfac4j.nqm;

/**
 * The risk of one run at many steps: the roots of each coordinate's filter are found once, when
 * they are first needed.
 */
final class Trajectory {
  private final NoisyQuadratic model;
  private final Algorithm algorithm;
  private final double noiseFactor;
  private final Response[] responses;

  /**
   * @param algorithm stable on the model
   */
  Trajectory(NoisyQuadratic model, Algorithm algorithm) {
    this.model = model;
    this.algorithm = algorithm;
    double rate = algorithm.learningRate();
    noiseFactor = rate * rate * algorithm.method().noiseScale(algorithm.decay());
    responses = new Response[model.spectrum().size()];
  }

  /**
   * @param steps at least 1
   */
  double risk(long steps) {
    return riskUpTo(steps, Double.POSITIVE_INFINITY);
  }

  /** Whether the risk is below the target; sums no further than needed to tell. */
  boolean isBelow(double target, long steps) {
    return riskUpTo(steps, target) < target;
  }

  /** The risk, or any number of at least the ceiling once the sum has reached it. */
  private double riskUpTo(long steps, double ceiling) {
    double initial = model.spectrum().initialVariance();
    double sum = 0;
    // flat coordinates are the last to converge and usually come last
    for (int i = responses.length - 1; i >= 0 && sum < ceiling; i--) {
      Response response = response(i);
      double f = response.decay(steps);
      double noise = noiseFactor * model.noise(i) * response.noiseGain(steps);
      sum += model.weight(i) * (f * f * initial + noise);
    }
    return sum;
  }

  private Response response(int i) {
    if (responses[i] == null) {
      responses[i] = model.response(algorithm, i);
    }
    return responses[i];
  }
}
