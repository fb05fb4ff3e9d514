package io.github.kfac4j.nqm;

/**
 * The noisy quadratic model of Zhang et al. (2019): a quadratic loss in its eigenbasis, gradients
 * with variance c_i / B, and the preconditioner H^-p.
 *
 * <p>Preconditioning replaces x = alpha h by alpha h^(1-p) and the noise alpha^2 c / B by alpha^2
 * h^(-2p) c / B in every formula; momentum acts after it. Immutable and safe to share.
 */
public final class NoisyQuadratic {
  private final Spectrum spectrum;
  private final double power;
  private final double batchSize;
  // per entry: h^(1-p), h^(-2p) c / B, and 1/2 h times the count
  private final double[] curvature;
  private final double[] noise;
  private final double[] weight;
  private final double steepest;

  /**
   * @param power p of the preconditioner H^-p, in [0, 1]; 0 is plain gradient descent
   * @param batchSize B, positive
   * @throws IllegalArgumentException if either is outside its range
   */
  public NoisyQuadratic(Spectrum spectrum, double power, double batchSize) {
    if (!(power >= 0 && power <= 1)) {
      throw new IllegalArgumentException(
          "the preconditioning power must be in [0, 1], not " + power);
    }
    if (!(batchSize > 0) || Double.isInfinite(batchSize)) {
      throw new IllegalArgumentException(
          "the batch size must be positive and finite, not " + batchSize);
    }
    this.spectrum = spectrum;
    this.power = power;
    this.batchSize = batchSize;
    int n = spectrum.size();
    curvature = new double[n];
    noise = new double[n];
    weight = new double[n];
    double max = 0;
    for (int i = 0; i < n; i++) {
      double h = spectrum.eigenvalue(i);
      curvature[i] = Math.pow(h, 1 - power);
      noise[i] = Math.pow(h, -2 * power) * spectrum.noiseVariance(i) / batchSize;
      weight[i] = 0.5 * h * spectrum.count(i);
      max = Math.max(max, curvature[i]);
    }
    steepest = max;
  }

  /** The spectrum. */
  public Spectrum spectrum() {
    return spectrum;
  }

  /** p. */
  public double power() {
    return power;
  }

  /** B. */
  public double batchSize() {
    return batchSize;
  }

  /** h_i^(1-p). */
  double curvature(int i) {
    return curvature[i];
  }

  /** h_i^(-2p) c_i / B. */
  double noise(int i) {
    return noise[i];
  }

  /** What E theta_i^2 of this entry counts in the risk: 1/2 h_i times how many share it. */
  double weight(int i) {
    return weight[i];
  }

  /** The rate from which on the method with this decay diverges on the steepest coordinate. */
  public double stabilityLimit(Method method, double decay) {
    return method.stabilityLimit(decay) / steepest;
  }

  /** Whether every coordinate has a finite steady state. */
  public boolean isStable(Algorithm algorithm) {
    return algorithm.learningRate() * steepest
        < algorithm.method().stabilityLimit(algorithm.decay());
  }

  /** The risk before the first step. */
  public double initialRisk() {
    double sum = 0;
    for (double w : weight) {
      sum += w * spectrum.initialVariance();
    }
    return sum;
  }

  /**
   * The expected loss after a number of steps: exact, from the closed forms.
   *
   * @param steps zero or more
   * @throws IllegalArgumentException if the learning rate is unstable or steps is negative
   */
  public double risk(Algorithm algorithm, long steps) {
    requireStable(algorithm);
    requireSteps(steps);
    return steps == 0 ? initialRisk() : new Trajectory(this, algorithm).risk(steps);
  }

  /**
   * The upper bounds of the paper: Theorem 1 for momentum, Theorem 2 for the average, and their
   * common case for SGD. The noise enters with its steady state from the first step on, so that the
   * bound exceeds the risk by the part of it that has not built up yet.
   *
   * @param steps zero or more
   * @throws IllegalArgumentException if the learning rate is unstable or steps is negative
   */
  public double upperBound(Algorithm algorithm, long steps) {
    requireStable(algorithm);
    requireSteps(steps);
    double sum = steadyRisk(algorithm);
    for (int i = 0; i < weight.length; i++) {
      double f = steps == 0 ? 1 : response(algorithm, i).decay(steps);
      sum += weight[i] * f * f * spectrum.initialVariance();
    }
    return sum;
  }

  /**
   * The risk that is left after infinitely many steps.
   *
   * @throws IllegalArgumentException if the learning rate is unstable
   */
  public double steadyRisk(Algorithm algorithm) {
    requireStable(algorithm);
    double rate = algorithm.learningRate();
    double sum = 0;
    for (int i = 0; i < weight.length; i++) {
      double x = rate * curvature[i];
      sum +=
          weight[i] * rate * rate * noise[i] * algorithm.method().steadyGain(x, algorithm.decay());
    }
    return sum;
  }

  /** The response of coordinate i. */
  Response response(Algorithm algorithm, int i) {
    return algorithm.method().response(algorithm.learningRate() * curvature[i], algorithm.decay());
  }

  private void requireStable(Algorithm algorithm) {
    if (!isStable(algorithm)) {
      throw new IllegalArgumentException(
          "learning rate "
              + algorithm.learningRate()
              + " is unstable: with decay "
              + algorithm.decay()
              + " and preconditioning power "
              + power
              + " it must be below "
              + stabilityLimit(algorithm.method(), algorithm.decay()));
    }
  }

  private static void requireSteps(long steps) {
    if (steps < 0) {
      throw new IllegalArgumentException("the number of steps must not be negative: " + steps);
    }
  }
}
