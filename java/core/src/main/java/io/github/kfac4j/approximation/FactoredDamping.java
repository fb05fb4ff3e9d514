package io.github.kfac4j.approximation;

import io.github.kfac4j.options.Convention;
import java.util.Arrays;

/**
 * How damping is split between the two factors of a block.
 *
 * @param pi the ratio of the split; NaN where the convention has none
 * @param a added to the diagonal of A
 * @param g added to the diagonal of G
 * @param scale multiplies both factors: 1, or 0 where a factor vanished and its convention replaces
 *     both by their damping
 */
public record FactoredDamping(double pi, double a, double g, double scale) {
  /**
   * Splits {@code lambda} so that the trace norm of the two cross terms is least: {@code pi =
   * sqrt((tr A / dim A) / (tr G / dim G))}, {@code A + pi sqrt(lambda) I}, {@code G + sqrt(lambda)
   * / pi I} (Martens and Grosse 2015, section 6.3). pi is 1 if a trace is 0.
   *
   * @param lambda damping of the block {@code A x G}
   * @param meanA trace of A by its dimension, likewise {@code meanG}
   */
  public static FactoredDamping split(
      Convention convention, double lambda, double meanA, int dimA, double meanG, int dimG) {
    double root = Math.sqrt(lambda);
    boolean vanished = !(meanA > 0) || !(meanG > 0);
    if (convention == Convention.KFAC_PYTORCH) {
      return new FactoredDamping(Double.NaN, lambda, lambda, 1);
    }
    if (convention == Convention.KFAC_JAX) {
      if (vanished) {
        return new FactoredDamping(1, root, root, 0);
      }
      // a factor of one entry leaves all damping to the other, which is exact
      if (dimA == 1) {
        return new FactoredDamping(Double.NaN, 0, lambda / meanA, 1);
      }
      if (dimG == 1) {
        return new FactoredDamping(Double.NaN, lambda / meanG, 0, 1);
      }
    }
    double pi = vanished ? 1 : Math.sqrt(meanA / meanG);
    return new FactoredDamping(pi, pi * root, root / pi, 1);
  }

  /**
   * The damping of each of n factors of one block, whose product is {@code lambda}: {@code
   * lambda^(1/n) (c_i^(n-1) / prod_{j != i} c_j)^(1/n)}, where c is a factor's mean eigenvalue
   * (OpenAI Baselines, ACKTR). For two factors it is {@code pi sqrt(lambda), sqrt(lambda) / pi}.
   * Means that vanish count as equal: then every factor gets {@code lambda^(1/n)}.
   *
   * @param lambda damping of the block
   * @param means trace by dimension of each factor
   */
  public static double[] split(double lambda, double... means) {
    int n = means.length;
    double root = Math.pow(lambda, 1.0 / n);
    double[] damping = new double[n];
    Arrays.fill(damping, root);
    if (Arrays.stream(means).allMatch(mean -> mean > 0)) {
      double logMean = Arrays.stream(means).map(Math::log).average().orElse(0);
      Arrays.setAll(damping, i -> root * Math.exp(Math.log(means[i]) - logMean));
    }
    return damping;
  }
}
