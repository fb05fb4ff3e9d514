package io.github.kfac4j.experiments.curvature;

/**
 * The curvature of the loss in one layer, in the eigenbasis of its Kronecker factors. Direction
 * {@code i * inputs + j} belongs to the i-th eigenvector of G and the j-th of A, which are {@code
 * inputs} and {@code outputs} in number.
 *
 * @param layer its name
 * @param outputValues eigenvalues of G, ascending
 * @param outputVectors eigenvectors of G as the columns of a matrix, row by row
 * @param inputValues eigenvalues of A, ascending
 * @param inputVectors eigenvectors of A likewise
 * @param curvature v'Fv of each direction, F the Fisher of the examples looked at
 * @param variance v'Cv, C the covariance of their gradients
 */
public record LayerCurvature(
    String layer,
    double[] outputValues,
    double[] outputVectors,
    double[] inputValues,
    double[] inputVectors,
    double[] curvature,
    double[] variance) {
  /** How many directions there are. */
  public int size() {
    return outputValues.length * inputValues.length;
  }

  /** The eigenvalue of K-FAC's Fisher in a direction; of round-off below zero, zero. */
  public double eigenvalue(int direction) {
    double g = outputValues[direction / inputValues.length];
    double a = inputValues[direction % inputValues.length];
    return Math.max(0, g) * Math.max(0, a);
  }
}
