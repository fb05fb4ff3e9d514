package io.github.kfac4j.backend;

/**
 * An orthonormal basis for each matrix of a stack: the columns of {@code Q}, stored as they are or,
 * where only the leading ones matter, as a block of r Householder reflections (Schreiber and Van
 * Loan 1989), {@code Q = I - V W'}. Its first r columns are then the leading vectors, by falling
 * eigenvalues; the others complete the basis. A product with it takes {@code 2 r / n} of the
 * operations that one with a full matrix does.
 *
 * @param matrices {@code [count, n, n]}: Q; or with reflections, in the memory of each matrix, V as
 *     {@code [n, r]}, then W as {@code [n, r]}, then zeros
 * @param reflections r, at most n / 2; 0 for a basis that is stored as it is
 */
public record Basis(MatrixStack matrices, int reflections) {
  /** Checks the shape. */
  public Basis {
    if (matrices.rows() != matrices.cols()
        || reflections < 0
        || reflections > matrices.rows() / 2) {
      throw new IllegalArgumentException(
          "a basis of %d reflections in matrices of %d x %d, which have to be square and at least twice as wide"
              .formatted(reflections, matrices.rows(), matrices.cols()));
    }
  }

  /** A basis whose vectors are the columns; null, for the identity, of null. */
  public static Basis ofColumns(MatrixStack vectors) {
    return vectors == null ? null : new Basis(vectors, 0);
  }

  /** Its dimension n. */
  public int dim() {
    return matrices.rows();
  }

  /** Whether it is stored as reflections. */
  public boolean isReflected() {
    return reflections > 0;
  }
}
