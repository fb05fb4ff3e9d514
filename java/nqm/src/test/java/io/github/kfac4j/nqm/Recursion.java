package io.github.kfac4j.nqm;

import java.util.Arrays;

/**
 * The exact second moments, one step at a time: what the closed forms sum up, with no assumption on
 * stability. Not thread-safe.
 *
 * <p>Momentum keeps [A(theta), alpha^2 A(m), -alpha C(theta, m)] from m_0 = 0; the average keeps
 * [A, A~ / (1 - gamma)^2, C / (1 - gamma)] from theta~_0 = theta_0. Both add the noise n [1, 1, 1]
 * at every step.
 */
final class Recursion {
  private final NoisyQuadratic model;
  private final Algorithm algorithm;
  private final double[] first;
  private final double[] second;
  private final double[] cross;
  private long steps;

  /** Starts at step 0. */
  Recursion(NoisyQuadratic model, Algorithm algorithm) {
    this.model = model;
    this.algorithm = algorithm;
    int n = model.spectrum().size();
    first = new double[n];
    second = new double[n];
    cross = new double[n];
    Arrays.fill(first, model.spectrum().initialVariance());
    if (algorithm.method() == Method.EMA) {
      double scale = 1 / (1 - algorithm.decay());
      Arrays.fill(second, model.spectrum().initialVariance() * scale * scale);
      Arrays.fill(cross, model.spectrum().initialVariance() * scale);
    }
  }

  /** Takes one step. */
  void step() {
    double rate = algorithm.learningRate();
    double decay = algorithm.decay();
    for (int i = 0; i < first.length; i++) {
      double x = rate * model.curvature(i);
      double n = rate * rate * model.noise(i);
      if (algorithm.method() == Method.EMA) {
        stepAverage(i, 1 - x, decay, n);
      } else {
        stepMomentum(i, x, decay, n);
      }
    }
    steps++;
  }

  private void stepMomentum(int i, double x, double beta, double n) {
    double a = first[i];
    double m = second[i] * beta * beta;
    double c = cross[i] * beta;
    first[i] = (1 - x) * (1 - x) * a + m + 2 * (1 - x) * c + n;
    second[i] = x * x * a + m - 2 * x * c + n;
    cross[i] = -(1 - x) * x * a + m + (1 - 2 * x) * c + n;
  }

  private void stepAverage(int i, double root, double gamma, double n) {
    double a = root * root * first[i];
    double c = gamma * root * cross[i];
    first[i] = a + n;
    second[i] = a + gamma * gamma * second[i] + 2 * c + n;
    cross[i] = a + c + n;
  }

  /** The expected loss now; for the average, the loss of the averaged parameters. */
  double risk() {
    boolean average = algorithm.method() == Method.EMA;
    double scale = average ? (1 - algorithm.decay()) * (1 - algorithm.decay()) : 1;
    double sum = 0;
    for (int i = 0; i < first.length; i++) {
      sum += model.weight(i) * scale * (average ? second[i] : first[i]);
    }
    return sum;
  }

  /** How many steps have been taken. */
  long steps() {
    return steps;
  }
}
