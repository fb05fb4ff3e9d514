package io.github.kfac4j.backend;

/**
 * Preconditioning by two inverses, for each group: {@code U = scale * gInverse dW aInverse}.
 *
 * @param gInverse {@code [groups, rows, rows]}, symmetric: a backend may read either triangle
 * @param aInverse {@code [groups, cols, cols]}, symmetric, the bias coordinate last
 * @param scale multiplies the result
 * @param gradient dW; read only, unless it is also the result
 * @param result where U goes; may be the gradient itself
 * @param precise whether the inverses are of matrices so ill-conditioned that products in fp32
 *     would lose what they hold: a backend then multiplies in fp64 if it can. One that measures by
 *     {@link StepAccuracy} what each step has lost need not be told
 */
public record PreconditionRequest(
    MatrixStack gInverse,
    MatrixStack aInverse,
    double scale,
    Gradient gradient,
    Gradient result,
    boolean precise) {

  /** A step in the backend's usual precision. */
  public PreconditionRequest(
      MatrixStack gInverse,
      MatrixStack aInverse,
      double scale,
      Gradient gradient,
      Gradient result) {
    this(gInverse, aInverse, scale, gradient, result, false);
  }
}
