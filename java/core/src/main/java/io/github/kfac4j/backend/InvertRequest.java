package io.github.kfac4j.backend;

/**
 * The damped inverses of a stack of symmetric matrices: {@code inverse[k] = (scale * source[k] +
 * damping[k] I)^-1}.
 *
 * @param source {@code [count, n, n]}, symmetric; never changed: damping is not added in place
 * @param scale multiplies the source, for example to undo the zero-bias of a running average
 * @param damping one value per matrix
 * @param inverse {@code [count, n, n]}; a matrix whose inversion fails keeps its old value
 */
public record InvertRequest(
    MatrixStack source, double scale, double[] damping, MatrixStack inverse) {}
