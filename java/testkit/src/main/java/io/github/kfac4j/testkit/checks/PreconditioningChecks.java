package io.github.kfac4j.testkit.checks;

import io.github.kfac4j.backend.BasisPreconditionRequest;
import io.github.kfac4j.backend.Gradient;
import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.backend.PreconditionRequest;
import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.testkit.Fixtures;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.DoubleStream;

/** The products of inverses, or of bases, with gradients, and their inner products. */
final class PreconditioningChecks {
  private static final double TOLERANCE = 64 * Fixtures.U;
  private static final double BASIS_TOLERANCE = 128 * Fixtures.U;

  private final Comparison comparison;

  PreconditioningChecks(Comparison comparison) {
    this.comparison = comparison;
  }

  void run(Extent extent) {
    for (Shape shape :
        List.of(
            new Shape("", 1, 1, 1, true),
            new Shape("", 1, 1, 1, false),
            new Shape("", 1, 13, 7, true),
            new Shape("", 3, 5, 9, true),
            new Shape("", 8, 1, 9, false),
            new Shape("", 1, 64, 207, true),
            new Shape("", 1, 207, 64, false),
            new Shape("Fashion-MNIST CNN, convolution 1, ", 1, 32, 25, true),
            new Shape("Fashion-MNIST CNN, convolution 2, ", 1, 64, 800, true),
            new Shape("Fashion-MNIST CNN, dense 2, ", 1, 10, 1024, true))) {
      if (extent.has(Math.max(shape.rows(), shape.dim()))) {
        kronecker(shape);
        inBasis(shape, true);
        inBasis(shape, false);
      }
    }
    if (extent.networks()) {
      kronecker(new Shape("Fashion-MNIST CNN, dense 1, ", 1, 1024, 3136, true));
    }
    if (extent.large()) {
      for (Shape shape :
          List.of(
              new Shape("ResNet-50, ", 1, 64, 147, false),
              new Shape("ResNet-50, ", 1, 256, 2304, false),
              new Shape("ResNet-50, ", 1, 512, 4608, false),
              new Shape("ResNet-50, ", 1, 2048, 1024, false),
              new Shape("ResNet-50, ", 1, 1000, 2048, true))) {
        kronecker(shape);
      }
    }
  }

  /**
   * A layer's gradient: rows and columns of the weight in each group, and whether it has a bias.
   */
  private record Shape(String prefix, int groups, int rows, int width, boolean bias) {
    int dim() {
      return bias ? width + 1 : width;
    }

    String name() {
      return "%s%d of %d x %d%s".formatted(prefix, groups, rows, width, bias ? " and bias" : "");
    }

    int weights() {
      return groups * rows * width;
    }

    int biases() {
      return bias ? groups * rows : 0;
    }

    Gradient gradient(Side side, double[] weight, double[] biasGradient) {
      return new Gradient(side.tensor(weight), bias ? side.tensor(biasGradient) : null);
    }
  }

  /** U, weight and bias one after the other, and its inner product with dW. */
  private record Outcome(double[] u, double inner) {
    static Outcome of(Gradient gradient, double inner) {
      double[] weight = ((HostTensor) gradient.weight()).toArray();
      double[] bias =
          gradient.bias() == null ? new double[0] : ((HostTensor) gradient.bias()).toArray();
      return new Outcome(
          DoubleStream.concat(Arrays.stream(weight), Arrays.stream(bias)).toArray(), inner);
    }

    /** The inner product is positive, for the matrices here are positive definite. */
    static double error(Outcome actual, Outcome expected) {
      double inner = Math.abs(actual.inner - expected.inner) / expected.inner;
      return Math.max(Fixtures.error(actual.u, expected.u), inner);
    }
  }

  private void kronecker(Shape shape) {
    Random random = comparison.random("precondition", shape.name());
    double[] g = Fixtures.positiveDefinite(random, shape.groups(), shape.rows());
    double[] a = Fixtures.positiveDefinite(random, shape.groups(), shape.dim());
    double[] weight = Fixtures.gaussian(random, shape.weights());
    double[] bias = Fixtures.gaussian(random, shape.biases());
    comparison.check(
        "precondition",
        shape.name(),
        exact -> TOLERANCE,
        side -> precondition(side, shape, g, a, shape.gradient(side, weight, bias)),
        Outcome::error);
  }

  private static Outcome precondition(
      Side side, Shape shape, double[] g, double[] a, Gradient gradient) {
    MatrixStack gInverse = side.stack(shape.groups(), shape.rows(), shape.rows(), g);
    MatrixStack aInverse = side.stack(shape.groups(), shape.dim(), shape.dim(), a);
    PreconditionRequest step =
        new PreconditionRequest(gInverse, aInverse, 0.5, gradient, gradient);
    double inner = side.backend().precondition(List.of(step))[0];
    return Outcome.of(gradient, inner);
  }

  private void inBasis(Shape shape, boolean rotated) {
    String what = shape.name() + (rotated ? ", rotated" : ", weights");
    Random random = comparison.random("preconditionInBasis", what);
    int groups = shape.groups();
    int rows = shape.rows();
    int dim = shape.dim();
    double[] qg = Fixtures.gaussian(random, groups * rows * rows);
    double[] qa = Fixtures.gaussian(random, groups * dim * dim);
    double[] moments = Fixtures.gaussian(random, groups * rows * dim);
    Arrays.setAll(moments, i -> Math.abs(moments[i]));
    double[] weight = Fixtures.gaussian(random, shape.weights());
    double[] bias = Fixtures.gaussian(random, shape.biases());
    comparison.check(
        "preconditionInBasis",
        what,
        exact -> BASIS_TOLERANCE,
        side -> {
          Gradient gradient = shape.gradient(side, weight, bias);
          BasisPreconditionRequest step =
              new BasisPreconditionRequest(
                  rotated ? side.stack(groups, rows, rows, qg) : null,
                  rotated ? side.stack(groups, dim, dim, qa) : null,
                  side.stack(groups, rows, dim, moments),
                  2,
                  0.5,
                  gradient,
                  gradient);
          return Outcome.of(gradient, side.backend().preconditionInBasis(List.of(step))[0]);
        },
        Outcome::error);
  }
}
