package io.github.kfac4j.nqm;

/**
 * How few steps the information in the examples allows, whatever the optimizer.
 *
 * <p>Every example is one noisy observation of the optimum, so that N = B t examples leave the
 * maximum-likelihood estimate with risk 1/2 sum c_i / (h_i N), which is d / (2N) for c = h.
 */
public final class InformationBound {
  private InformationBound() {}

  /**
   * Steps after which the maximum-likelihood estimate has the target risk: d / (2 C B) for c = h.
   * The dashed line of the paper's figures. An optimizer may beat it by what it gains from the
   * known distribution of the start; {@link #bayesSteps} accounts for that.
   */
  public static double maximumLikelihoodSteps(Spectrum spectrum, double batchSize, double target) {
    double sum = 0;
    for (int i = 0; i < spectrum.size(); i++) {
      sum += spectrum.count(i) * spectrum.noiseVariance(i) / spectrum.eigenvalue(i);
    }
    return 0.5 * sum / (target * batchSize);
  }

  /**
   * Steps after which the Bayes estimate, which knows the variance of the start, has the target
   * risk; 0 if the start has it.
   */
  public static double bayesSteps(Spectrum spectrum, double batchSize, double target) {
    double low = 0;
    double high = maximumLikelihoodSteps(spectrum, batchSize, target) * batchSize;
    for (int i = 0; i < 100; i++) {
      double middle = 0.5 * (low + high);
      if (bayesRisk(spectrum, middle) > target) {
        low = middle;
      } else {
        high = middle;
      }
    }
    return high / batchSize;
  }

  /** 1/2 sum h / (1 / A_0 + N h^2 / c), the risk of the Bayes estimate after N examples. */
  static double bayesRisk(Spectrum spectrum, double examples) {
    double sum = 0;
    for (int i = 0; i < spectrum.size(); i++) {
      double h = spectrum.eigenvalue(i);
      double start = spectrum.initialVariance();
      double c = spectrum.noiseVariance(i);
      // in this form a coordinate without noise or without initial variance is harmless
      double left =
          start == 0 || c == 0 && examples > 0 ? 0 : start * c / (c + start * examples * h * h);
      sum += 0.5 * spectrum.count(i) * h * (examples == 0 ? start : left);
    }
    return sum;
  }
}
