package io.github.kfac4j.backend;

/**
 * The renewal of orthonormal bases of eigenvectors after their matrices have changed a little.
 *
 * <p>With {@code leading} less than n, one subspace iteration: with Q1 the previous leading
 * vectors, Y an orthonormal basis of the columns of {@code (A + shift I) Q1} and {@code Y'A Y = R
 * diag(d) R'}, the leading vectors become those of {@code Y R}, up to signs, by falling d, and the
 * basis the {@link Basis#reflections} that take the first unit vectors to them. A basis that is
 * stored as columns begins anew: from random signs in the place of Q1, with {@link #FIRST}
 * iterations (Halko, Martinsson and Tropp 2011).
 *
 * <p>With {@code leading} n it is a decomposition, with eigenvalues ascending; the basis is stored
 * as columns before and after.
 *
 * @param source {@code [count, n, n]}, symmetric, positive semidefinite up to rounding; never
 *     changed
 * @param basis the previous one; where it is stored the new one is, if that was accepted, with
 *     {@code leading} reflections if that is less than n
 * @param leading how many vectors are renewed: n, or at most n / 2 and, of reflections, as many as
 *     there are
 * @param maxShare the largest {@link Renewal#share} with which new bases are accepted
 */
public record RenewRequest(MatrixStack source, Basis basis, int leading, double maxShare) {
  /** Iterations from random signs. */
  public static final int FIRST = 3;

  /** Checks that all fits. */
  public RenewRequest {
    int n = basis.dim();
    boolean whole = leading == n;
    boolean fits = whole || leading >= 1 && leading <= n / 2;
    boolean continues = !basis.isReflected() || basis.reflections() == leading;
    boolean alike =
        source.rows() == n && source.cols() == n && source.count() == basis.matrices().count();
    if (!fits || !continues || !alike) {
      throw new IllegalArgumentException(
          "a renewal of %d vectors of a basis of %d, %d of them reflected, of %d matrices of %d x %d: it takes all, or at most half, and as many as are reflected"
              .formatted(
                  leading, n, basis.reflections(), source.count(), source.rows(), source.cols()));
    }
  }

  /** Whether the whole basis is renewed. */
  public boolean isWhole() {
    return leading == basis.dim();
  }

  /** Whether there are no leading vectors to begin with. */
  public boolean beginsAnew() {
    return !isWhole() && !basis.isReflected();
  }

  /** The sign that element (i, j) of the first vectors has, of a fixed sequence without pattern. */
  public static double sign(int i, int j) {
    long x = ((long) i << 32 | j) * 0x9E3779B97F4A7C15L;
    x = (x ^ x >>> 32) * 0xD6E8FEB86659FD93L;
    return (x ^ x >>> 32) << 63 == 0 ? 1 : -1;
  }

  /** The basis in the form that an accepted renewal leaves. */
  public Basis renewed() {
    return new Basis(basis.matrices(), isWhole() ? 0 : leading);
  }
}
