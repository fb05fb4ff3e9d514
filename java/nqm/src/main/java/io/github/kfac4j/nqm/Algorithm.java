package io.github.kfac4j.nqm;

/**
 * A method with its hyperparameters.
 *
 * @param method the update rule
 * @param learningRate alpha, positive
 * @param decay in [0, 1): momentum's beta, the average's gamma; 0 for SGD
 */
public record Algorithm(Method method, double learningRate, double decay) {

  /**
   * @throws IllegalArgumentException if a hyperparameter is outside its range
   */
  public Algorithm {
    if (!(learningRate > 0) || Double.isInfinite(learningRate)) {
      throw new IllegalArgumentException(
          "the learning rate must be positive and finite, not " + learningRate);
    }
    if (!(decay >= 0 && decay < 1)) {
      throw new IllegalArgumentException(
          "the decay (beta of momentum, gamma of the average) must be in [0, 1), not " + decay);
    }
    if (method == Method.SGD && decay != 0) {
      throw new IllegalArgumentException("SGD has no decay, but " + decay + " was given");
    }
  }

  /** Plain SGD. */
  public static Algorithm sgd(double learningRate) {
    return new Algorithm(Method.SGD, learningRate, 0);
  }

  /** SGD with heavy-ball momentum beta. */
  public static Algorithm momentum(double learningRate, double beta) {
    return new Algorithm(Method.MOMENTUM, learningRate, beta);
  }

  /** SGD with an exponential moving average of the iterates with decay gamma. */
  public static Algorithm ema(double learningRate, double gamma) {
    return new Algorithm(Method.EMA, learningRate, gamma);
  }

  /** alpha / (1 - beta) for momentum, else the learning rate itself. */
  public double effectiveLearningRate() {
    return method == Method.MOMENTUM ? learningRate / (1 - decay) : learningRate;
  }

  /**
   * How fast one coordinate forgets where it started: 1 - |r|, where r is the larger root of the
   * method's characteristic polynomial, so that the distance shrinks by |r| per step in the long
   * run.
   *
   * @param curvature h, positive; h^(1-p) under a preconditioner H^-p
   * @throws IllegalArgumentException if the learning rate is unstable for this curvature
   */
  public double convergenceRate(double curvature) {
    return response(curvature).convergenceRate();
  }

  /**
   * What is left of a coordinate's initial second moment after a number of steps: the first term of
   * Theorems 1 and 2.
   *
   * @param curvature as in {@link #convergenceRate}
   * @param steps zero or more
   * @throws IllegalArgumentException if the learning rate is unstable for this curvature
   */
  public double initialShare(double curvature, long steps) {
    if (steps < 0) {
      throw new IllegalArgumentException("the number of steps must not be negative: " + steps);
    }
    double f = steps == 0 ? 1 : response(curvature).decay(steps);
    return f * f;
  }

  private Response response(double curvature) {
    double limit = method.stabilityLimit(decay);
    double x = learningRate * curvature;
    if (!(x > 0 && x < limit)) {
      throw new IllegalArgumentException(
          "learning rate times curvature must be positive and below " + limit + ", not " + x);
    }
    return method.response(x, decay);
  }
}
