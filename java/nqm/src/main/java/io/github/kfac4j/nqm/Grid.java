package io.github.kfac4j.nqm;

/**
 * The hyperparameters that a search tries: every learning rate with every decay.
 *
 * @param learningRates increasing, equally spaced in the logarithm
 * @param decays tried at each rate in this order; {0} for SGD
 */
record Grid(Method method, double[] learningRates, double[] decays) {

  /**
   * The grids of the authors' published code: 100 learning rates, and for momentum and the average
   * 20 decays 1 - 10^-5 .. 1 - 10^0.
   *
   * @param scale what the rates are multiplied by: 1 where the steepest curvature is 1
   */
  static Grid protocol(Method method, double scale) {
    if (method == Method.SGD) {
      return new Grid(method, logarithmic(-5, 0.5, 100, scale), new double[] {0});
    }
    double[] decays = logarithmic(-5, 0, 20, 1);
    for (int i = 0; i < decays.length; i++) {
      decays[i] = 1 - decays[i];
    }
    return new Grid(method, logarithmic(-8, 1, 100, scale), decays);
  }

  private static double[] logarithmic(double from, double to, int n, double scale) {
    double[] values = new double[n];
    for (int i = 0; i < n; i++) {
      values[i] = scale * Math.pow(10, from + (to - from) * i / (n - 1));
    }
    return values;
  }

  /** The same learning rates with one decay. */
  Grid withDecay(double decay) {
    return new Grid(method, learningRates, new double[] {decay});
  }

  /** The distance of neighbours in the logarithm of the rate. */
  double rateSpacing() {
    return Math.log(learningRates[1] / learningRates[0]);
  }

  /** The distance of neighbours in the logarithm of 1 - decay; 0 for a single decay. */
  double decaySpacing() {
    return decays.length == 1 ? 0 : Math.log((1 - decays[1]) / (1 - decays[0]));
  }
}
