package io.github.kfac4j;

/**
 * How damping is split between the two factors of a block.
 *
 * @param pi the ratio of the split; NaN where the convention has none
 * @param a added to the diagonal of A
 * @param g added to the diagonal of G
 * @param scale multiplies both factors: 1, or 0 where a factor vanished and its convention replaces
 *     both by their damping
 */
record FactoredDamping(double pi, double a, double g, double scale) {
  /**
   * Splits {@code lambda} so that the trace norm of the two cross terms is least: {@code pi =
   * sqrt((tr A / dim A) / (tr G / dim G))}, {@code A + pi sqrt(lambda) I}, {@code G + sqrt(lambda)
   * / pi I} (Martens and Grosse 2015, section 6.3). pi is 1 if a trace is 0.
   *
   * @param lambda damping of the block {@code A x G}
   * @param meanA trace of A by its dimension, likewise {@code meanG}
   */
  static FactoredDamping split(
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
}
