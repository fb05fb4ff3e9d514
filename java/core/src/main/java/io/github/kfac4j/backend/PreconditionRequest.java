package io.github.kfac4j.backend;

/**
 * Preconditioning by two inverses, for each group: {@code U = scale * gInverse dW aInverse}, in fp64
 * where {@link StepAccuracy} says that fp32 loses too much.
 *
 * @param gInverse {@code [groups, rows, rows]}, symmetric: a backend may read either triangle
 * @param aInverse {@code [groups, cols, cols]}, symmetric, the bias coordinate last
 * @param scale multiplies the result
 * @param gradient dW; read only, unless it is also the result
 * @param result where U goes; may be the gradient itself
 */
public record PreconditionRequest(
    MatrixStack gInverse, MatrixStack aInverse, double scale, Gradient gradient, Gradient result) {}
