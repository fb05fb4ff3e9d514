package io.github.kfac4j.testkit.checks;

import io.github.kfac4j.backend.Gradient;
import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.testkit.Fixtures;
import io.github.kfac4j.testkit.Literal;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.DoubleStream;

/**
 * A layer's gradient: rows and columns of the weight in each group, and whether it has a bias.
 *
 * @param prefix of its name in the table
 */
record GradientShape(String prefix, int groups, int rows, int width, boolean bias) {
  /** Shapes from one element to the layers of the Fashion-MNIST network. */
  static List<GradientShape> all(Extent extent) {
    return List.of(
            new GradientShape("", 1, 1, 1, true),
            new GradientShape("", 1, 1, 1, false),
            new GradientShape("", 1, 13, 7, true),
            new GradientShape("", 1, 9, 4, false),
            new GradientShape("", 1, 20, 29, true),
            new GradientShape("", 2, 5, 63, true),
            new GradientShape("", 3, 5, 9, true),
            new GradientShape("", 8, 1, 9, false),
            new GradientShape("", 1, 64, 207, true),
            new GradientShape("", 1, 207, 64, false),
            new GradientShape("", 1, 300, 33, true),
            new GradientShape("Fashion-MNIST CNN, convolution 1, ", 1, 32, 25, true),
            new GradientShape("Fashion-MNIST CNN, convolution 2, ", 1, 64, 800, true),
            new GradientShape("Fashion-MNIST CNN, dense 2, ", 1, 10, 1024, true))
        .stream()
        .filter(shape -> extent.has(Math.max(shape.rows, shape.dim())))
        .toList();
  }

  int dim() {
    return bias ? width + 1 : width;
  }

  String name() {
    return "%s%d of %d x %d%s".formatted(prefix, groups, rows, width, bias ? " and bias" : "");
  }

  /** A random gradient, weight and bias one after the other. */
  double[] random(Random random) {
    return Fixtures.gaussian(random, groups * rows * dim());
  }

  /** The tensors of such a gradient. */
  Gradient gradient(Side side, double[] elements) {
    int weights = groups * rows * width;
    return new Gradient(
        side.tensor(Arrays.copyOf(elements, weights)),
        bias ? side.tensor(Arrays.copyOfRange(elements, weights, elements.length)) : null);
  }

  static double[] elements(Gradient gradient) {
    double[] weight = ((HostTensor) gradient.weight()).toArray();
    double[] bias =
        gradient.bias() == null ? new double[0] : ((HostTensor) gradient.bias()).toArray();
    return DoubleStream.concat(Arrays.stream(weight), Arrays.stream(bias)).toArray();
  }

  /**
   * What preconditioning made of a gradient.
   *
   * @param inner the inner product of U and dW
   * @param norms the product of their norms
   */
  record Preconditioned(double[] u, double inner, double norms) {
    static Preconditioned of(Gradient result, double inner, double[] dw) {
      double[] u = elements(result);
      return new Preconditioned(u, inner, Math.sqrt(Literal.dot(u, u) * Literal.dot(dw, dw)));
    }

    /** The larger error of the two, of the inner product by itself where it is not near zero. */
    static double error(Preconditioned actual, Preconditioned expected) {
      double inner = Math.abs(actual.inner - expected.inner) / Math.abs(expected.inner);
      return Math.max(Fixtures.error(actual.u, expected.u), inner);
    }

    /** The same where the inner product may be near zero: of that by the norms. */
    static double errorByNorms(Preconditioned actual, Preconditioned expected) {
      double inner = Math.abs(actual.inner - expected.inner) / expected.norms;
      return Math.max(Fixtures.error(actual.u, expected.u), inner);
    }
  }
}
