package io.github.kfac4j.experiments.study.scaling;

/**
 * What the cost of a layer depends on.
 *
 * @param inputDim dimension of A; 1 for the scale and shift of a batch norm, which has G alone
 * @param outputDim dimension of G
 * @param positions of the layer's output for one image
 * @param weights numbers to be trained
 */
record LayerSize(String name, int inputDim, int outputDim, int positions, long weights) {
  /** Multiplications and additions of the forward pass of one image. */
  double forwardFlops() {
    return 2.0 * inputDim * outputDim * positions;
  }

  /** The same for adding one image to the triangles of A and G. */
  double factorFlops() {
    double a = inputDim;
    double g = outputDim;
    return (a * a + g * g) * positions;
  }

  /** The same for {@code G^-1 dW A^-1}. */
  double preconditionFlops() {
    return 2.0 * weights * (inputDim + outputDim);
  }

  /** Numbers of the triangles of A and G. */
  long packed() {
    long a = inputDim;
    long g = outputDim;
    return (a > 1 ? a * (a + 1) / 2 : 0) + g * (g + 1) / 2;
  }
}
