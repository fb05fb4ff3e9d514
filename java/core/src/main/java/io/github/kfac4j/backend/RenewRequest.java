package io.github.kfac4j.backend;

/**
 * The renewal of orthonormal bases Q that were eigenvectors of matrices which have changed a little
 * since: the leading columns, those of the largest eigenvalues, become Ritz vectors after one
 * subspace iteration; the others turn no more than they must to stay orthogonal to them.
 *
 * <p>With Q1 the leading columns, Q2 the rest, Y an orthonormal basis of the columns of {@code (A +
 * shift I) Q1} and {@code Y'A Y = V diag(d) V'}: Q1 becomes {@code Y V}, and Q2 becomes {@code Q2 -
 * F (I + Y'Q1)^-1 F'Q2}, {@code F = Q1 + Y}, which is the orthogonal map that takes Q1 to -Y.
 *
 * @param source {@code [count, n, n]}, symmetric, not indefinite but for rounding; never changed
 * @param vectors {@code [count, n, n]}, eigenvectors of before as columns, ascending; on return the
 *     new ones, where they were accepted
 * @param leading how many columns are renewed, at most n; with n it is a decomposition
 * @param maxShare the largest {@link Renewal#share} with which new vectors are accepted
 */
public record RenewRequest(MatrixStack source, MatrixStack vectors, int leading, double maxShare) {}
