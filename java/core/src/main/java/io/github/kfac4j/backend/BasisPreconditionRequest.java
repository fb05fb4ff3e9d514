package io.github.kfac4j.backend;

/**
 * Preconditioning in a Kronecker basis, for each group: {@code U = Qg [(Qg' dW Qa) / (scale *
 * moments + damping)] Qa'}, the division per element.
 *
 * @param gBasis of the rows, for each group; null for the identity
 * @param aBasis of the columns, for each group; null for the identity
 * @param moments {@code [groups, rows, cols]}, not negative
 * @param scale multiplies the moments, for example to undo the zero-bias of a running average
 * @param damping positive
 * @param gradient dW; read only, unless it is also the result
 * @param result where U goes; may be the gradient itself
 */
public record BasisPreconditionRequest(
    Basis gBasis,
    Basis aBasis,
    MatrixStack moments,
    double scale,
    double damping,
    Gradient gradient,
    Gradient result) {}
