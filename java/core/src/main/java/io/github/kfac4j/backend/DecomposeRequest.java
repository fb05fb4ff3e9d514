package io.github.kfac4j.backend;

/**
 * The eigendecompositions of a stack of symmetric matrices: {@code scale * source[k] = vectors[k]
 * diag(values[k]) vectors[k]'}, eigenvalues ascending, eigenvectors as columns.
 *
 * @param source {@code [count, n, n]}, symmetric; never changed
 * @param scale multiplies the source
 * @param vectors {@code [count, n, n]}; a matrix whose decomposition fails keeps its old value
 * @param values {@code [count, 1, n]}; likewise
 */
public record DecomposeRequest(
    MatrixStack source, double scale, MatrixStack vectors, MatrixStack values) {}
