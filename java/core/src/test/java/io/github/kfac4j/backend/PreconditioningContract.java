package io.github.kfac4j.backend;

import static io.github.kfac4j.testkit.Fixtures.covariance;
import static io.github.kfac4j.testkit.Fixtures.direct;
import static io.github.kfac4j.testkit.Fixtures.error;
import static io.github.kfac4j.testkit.Fixtures.gaussian;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Percentage.withPercentage;

import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.testkit.Literal;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Products of inverses, or bases, with gradients. */
abstract class PreconditioningContract extends FactorisationContract {
  @ParameterizedTest
  @CsvSource({
    "1,1,1,true",
    "1,1,1,false",
    "1,13,7,true",
    "1,64,207,true",
    "1,207,64,false",
    "3,5,9,true",
    "8,1,9,false",
    "1,300,33,true"
  })
  void preconditioningIsTheProductWithBothInverses(int groups, int rows, int cols, boolean bias) {
    int width = cols;
    int dim = bias ? width + 1 : width;
    double[] g = symmetric(gaussian(random, groups * rows * rows), rows);
    double[] a = symmetric(gaussian(random, groups * dim * dim), dim);
    double[] weight = gaussian(random, groups * rows * width);
    double[] biasGradient = gaussian(random, groups * rows);
    HostTensor w = direct(weight);
    HostTensor b = bias ? direct(biasGradient) : null;
    HostTensor wOut = direct(new double[weight.length]);
    HostTensor bOut = bias ? direct(new double[biasGradient.length]) : null;
    MatrixStack gStack = filled(groups, rows, rows, g);
    MatrixStack aStack = filled(groups, dim, dim, a);
    Gradient in = new Gradient(w, b);
    double inner =
        backend
            .precondition(
                List.of(
                    new PreconditionRequest(
                        gStack, aStack, 0.5, in, new Gradient(wOut, bOut))))[0];
    assertThat(w.toArray()).as("the gradient is only read").containsExactly(weight);

    double[] dw = join(weight, biasGradient, groups * rows, width, bias);
    double[] expected = new double[dw.length];
    double expectedInner = 0;
    for (int k = 0; k < groups; k++) {
      double[] dwk = Arrays.copyOfRange(dw, k * rows * dim, (k + 1) * rows * dim);
      double[] gk = Arrays.copyOfRange(g, k * rows * rows, (k + 1) * rows * rows);
      double[] ak = Arrays.copyOfRange(a, k * dim * dim, (k + 1) * dim * dim);
      double[] u = Literal.multiply(Literal.multiply(gk, dwk, rows, rows, dim), ak, rows, dim, dim);
      for (int i = 0; i < u.length; i++) {
        expected[k * rows * dim + i] = 0.5 * u[i];
        expectedInner += 0.5 * u[i] * dwk[i];
      }
    }
    double[] actual =
        join(
            wOut.toArray(),
            bias ? bOut.toArray() : new double[biasGradient.length],
            groups * rows,
            width,
            bias);
    // outputs are fp32 tensors for every backend
    assertThat(error(actual, expected)).isLessThan(5e-6);
    double norms = Math.sqrt(dot(dw, dw) * dot(expected, expected));
    assertThat(Math.abs(inner - expectedInner)).isLessThan(5e-6 * norms);

    backend.precondition(List.of(new PreconditionRequest(gStack, aStack, 0.5, in, in)));
    assertThat(w.toArray()).as("in place").containsExactly(wOut.toArray());
  }

  /** Copies what lies below the diagonals of n x n matrices to above them. */
  private static double[] symmetric(double[] matrices, int n) {
    for (int k = 0; k < matrices.length; k += n * n) {
      for (int i = 0; i < n; i++) {
        for (int j = 0; j < i; j++) {
          matrices[k + j * n + i] = matrices[k + i * n + j];
        }
      }
    }
    return matrices;
  }

  private static double dot(double[] x, double[] y) {
    double sum = 0;
    for (int i = 0; i < x.length; i++) {
      sum += x[i] * y[i];
    }
    return sum;
  }

  private static double[] join(double[] weight, double[] bias, int rows, int width, boolean has) {
    if (!has) {
      return weight;
    }
    double[] joined = new double[rows * (width + 1)];
    for (int i = 0; i < rows; i++) {
      System.arraycopy(weight, i * width, joined, i * (width + 1), width);
      joined[i * (width + 1) + width] = bias[i];
    }
    return joined;
  }

  @ParameterizedTest
  @CsvSource({"1,13,7,true,true", "2,5,64,true,true", "1,20,30,false,true", "1,9,4,false,false"})
  void preconditioningInABasisDividesThere(
      int groups, int rows, int dim, boolean rotated, boolean bias) {
    double[] qg = gaussian(random, groups * rows * rows);
    double[] qa = gaussian(random, groups * dim * dim);
    double[] moments = gaussian(random, groups * rows * dim);
    for (int i = 0; i < moments.length; i++) {
      moments[i] = Math.abs(moments[i]);
    }
    int width = bias ? dim - 1 : dim;
    double[] weight = gaussian(random, groups * rows * width);
    double[] biasGradient = gaussian(random, groups * rows);
    HostTensor w = direct(weight);
    HostTensor b = bias ? direct(biasGradient) : null;
    Gradient gradient = new Gradient(w, b);
    double inner =
        backend
            .preconditionInBasis(
                List.of(
                    new BasisPreconditionRequest(
                        rotated ? filled(groups, rows, rows, qg) : null,
                        rotated ? filled(groups, dim, dim, qa) : null,
                        filled(groups, rows, dim, moments),
                        2,
                        0.5,
                        gradient,
                        gradient)))[0];
    double[] dw = join(weight, biasGradient, groups * rows, width, bias);
    double[] expected = new double[dw.length];
    for (int k = 0; k < groups; k++) {
      double[] inBasis = Arrays.copyOfRange(dw, k * rows * dim, (k + 1) * rows * dim);
      double[] g = Arrays.copyOfRange(qg, k * rows * rows, (k + 1) * rows * rows);
      double[] a = Arrays.copyOfRange(qa, k * dim * dim, (k + 1) * dim * dim);
      if (rotated) {
        inBasis = Literal.multiply(Literal.transpose(g, rows, rows), inBasis, rows, rows, dim);
        inBasis = Literal.multiply(inBasis, a, rows, dim, dim);
      }
      for (int i = 0; i < inBasis.length; i++) {
        inBasis[i] /= 2 * moments[k * rows * dim + i] + 0.5;
      }
      if (rotated) {
        inBasis = Literal.multiply(g, inBasis, rows, rows, dim);
        inBasis = Literal.multiply(inBasis, Literal.transpose(a, dim, dim), rows, dim, dim);
      }
      System.arraycopy(inBasis, 0, expected, k * rows * dim, inBasis.length);
    }
    double[] actual =
        join(w.toArray(), bias ? b.toArray() : biasGradient, groups * rows, width, bias);
    assertThat(error(actual, expected)).isLessThan(5e-6);
    double norms = Math.sqrt(dot(dw, dw) * dot(expected, expected));
    assertThat(Math.abs(inner - dot(dw, expected))).isLessThan(5e-6 * norms);
  }
}
