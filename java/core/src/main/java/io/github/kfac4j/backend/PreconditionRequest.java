package io.github.kfac4j.backend;

/**
 * Preconditioning by two inverses, for each group: {@code U = scale * gInverse dW aInverse}. A
 * backend that multiplies in fp32 measures what a step has lost, see {@link StepAccuracy}.
 *
 * @param gInverse {@code [groups, rows, rows]}, symmetric: a backend may read either triangle
 * @param aInverse {@code [groups, cols, cols]}, symmetric, the bias coordinate last
 * @param scale multiplies the result
 * @param gradient dW; read only, unless it is also the result
 * @param result where U goes; may be the gradient itself
 */
public record PreconditionRequest(
    MatrixStack gInverse, MatrixStack aInverse, double scale, Gradient gradient, Gradient result) {}
