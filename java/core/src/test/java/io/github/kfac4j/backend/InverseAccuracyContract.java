package io.github.kfac4j.backend;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.kfac4j.testkit.Fixtures;
import io.github.kfac4j.testkit.Literal;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The error that {@link Status#OK} promises of an inverse, measured by {@code |X M - I|_2} in fp64:
 * of rank-deficient factors with dampings down to where no inverse of the stack's precision exists.
 */
public abstract class InverseAccuracyContract extends ContractFixture {
  private static final double[] CONDITIONS = {1e1, 1e3, 1e4, 3e4, 1e5, 3e5, 1e6, 1e7, 1e9, 1e12};

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 13, 16, 17, 32, 64, 129, 207, 300, 400})
  void okIsWithinTheBoundAndWhatIsNotSaysSo(int n) {
    for (int rank : new int[] {1, Math.max(1, n / 4), n}) {
      double[] factor = Fixtures.covariance(random, n, rank);
      double largest = largest(factor, n);
      MatrixStack source = filled(1, n, n, factor);
      for (double condition : CONDITIONS) {
        double damping = largest / condition;
        MatrixStack inverse = zeros(1, n, n);
        InvertRequest request = new InvertRequest(source, 1, new double[] {damping}, inverse);
        Status status = backend.invert(List.of(request)).get(0)[0];
        String what = "n %d, rank %d, condition %s: %s".formatted(n, rank, condition, status);
        if (status.kind() == Status.Kind.NOT_POSITIVE_DEFINITE) {
          // the factor was rounded to fp32, so that its zero eigenvalues are not quite zero
          assertThat(condition * 0x1p-24).as(what).isGreaterThan(0.1);
          continue;
        }
        double error = error(factor, n, damping, inverse.toArray());
        if (status.ok()) {
          assertThat(error).as(what).isLessThanOrEqualTo(InverseAccuracy.BOUND);
        } else {
          assertThat(status.kind()).as(what).isEqualTo(Status.Kind.INACCURATE);
          // half of one rounding of a perfect inverse: before that there is no excuse
          assertThat(condition * InverseAccuracy.roundoff(inverse)).as(what).isGreaterThan(0.002);
          assertThat(status.error()).as(what).isBetween(error / 10, 10 * error);
        }
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"64,1e5", "300,5e4", "400,1e5"})
  void whatAnInverseRoundedOnceCanDoIsDone(int n, double condition) {
    double[] factor = Fixtures.covariance(random, n, n / 4);
    double damping = largest(factor, n) / condition;
    MatrixStack inverse = zeros(1, n, n);
    InvertRequest request =
        new InvertRequest(filled(1, n, n, factor), 1, new double[] {damping}, inverse);
    assertThat(backend.invert(List.of(request)).get(0)).containsExactly(Status.OK);
    // at most u kappa, of which a rounding of the exact inverse takes 0.35 to 0.6
    assertThat(error(factor, n, damping, inverse.toArray()))
        .isLessThanOrEqualTo(InverseAccuracy.BOUND);
  }

  @Test
  void eachMatrixOfAStackHasItsOwnStatus() {
    int n = 40;
    double[] factor = Fixtures.covariance(random, n, 5);
    double[] dampings = {1e-1, 5e-6, 1e-2, 1e-3};
    double[] stack = new double[dampings.length * n * n];
    for (int k = 0; k < dampings.length; k++) {
      System.arraycopy(factor, 0, stack, k * n * n, n * n);
    }
    MatrixStack inverse = zeros(dampings.length, n, n);
    InvertRequest request =
        new InvertRequest(filled(dampings.length, n, n, stack), 1, dampings, inverse);
    Status[] statuses = backend.invert(List.of(request)).get(0);
    for (int k = 0; k < dampings.length; k++) {
      double[] one = Arrays.copyOfRange(inverse.toArray(), k * n * n, (k + 1) * n * n);
      double error = error(factor, n, dampings[k], one);
      boolean possible = inverse.isDouble() || dampings[k] > 1e-5;
      assertThat(statuses[k].ok()).as("%s, error %s", statuses[k], error).isEqualTo(possible);
      assertThat(error <= InverseAccuracy.BOUND).isEqualTo(possible);
    }
  }

  private static double largest(double[] m, int n) {
    return Literal.norm(m, n);
  }

  /** {@code |X M - I|_2} in fp64. */
  private static double error(double[] factor, int n, double damping, double[] inverse) {
    double[] product = Literal.multiply(inverse, Fixtures.damped(factor, n, 1, damping), n, n, n);
    for (int i = 0; i < n; i++) {
      product[i * n + i] -= 1;
    }
    return Literal.norm(product, n);
  }
}
