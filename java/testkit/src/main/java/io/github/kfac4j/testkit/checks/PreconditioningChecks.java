package io.github.kfac4j.testkit.checks;

import static io.github.kfac4j.testkit.checks.Comparison.demand;

import io.github.kfac4j.backend.Gradient;
import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.backend.PreconditionRequest;
import io.github.kfac4j.backend.StepAccuracy;
import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.testkit.Fixtures;
import io.github.kfac4j.testkit.checks.GradientShape.Preconditioned;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** The products of inverses with gradients, and their inner products. */
final class PreconditioningChecks {
  private static final String VERB = "precondition";

  private final Comparison comparison;

  PreconditioningChecks(Comparison comparison) {
    this.comparison = comparison;
  }

  void run(Extent extent) {
    for (GradientShape shape : GradientShape.all(extent)) {
      positiveDefinite(shape);
      indefinite(shape);
    }
    inversesMadeAnew();
    if (extent.networks()) {
      positiveDefinite(new GradientShape("Fashion-MNIST CNN, dense 1, ", 1, 1024, 3136, true));
    }
    if (extent.large()) {
      positiveDefinite(new GradientShape("ResNet-50, ", 1, 64, 147, false));
      positiveDefinite(new GradientShape("ResNet-50, ", 1, 256, 2304, false));
      positiveDefinite(new GradientShape("ResNet-50, ", 1, 512, 4608, false));
      positiveDefinite(new GradientShape("ResNet-50, ", 1, 2048, 1024, false));
      positiveDefinite(new GradientShape("ResNet-50, ", 1, 1000, 2048, true));
    }
  }

  private void positiveDefinite(GradientShape shape) {
    Random random = comparison.random(VERB, shape.name());
    double[] g = Fixtures.positiveDefinite(random, shape.groups(), shape.rows());
    double[] a = Fixtures.positiveDefinite(random, shape.groups(), shape.dim());
    double[] dw = shape.random(random);
    comparison.check(
        VERB,
        shape.name(),
        Tolerance.ofTensors(64),
        side -> precondition(side, shape, g, a, dw),
        Preconditioned::error);
  }

  /** Matrices that no inverse is, whose products cancel more. */
  private void indefinite(GradientShape shape) {
    String what = shape.name() + ", indefinite";
    Random random = comparison.random(VERB, what);
    double[] g = Shapes.symmetric(random, shape.groups(), shape.rows());
    double[] a = Shapes.symmetric(random, shape.groups(), shape.dim());
    double[] dw = shape.random(random);
    comparison.check(
        VERB,
        what,
        Tolerance.ofTensors(80),
        side -> precondition(side, shape, g, a, dw),
        Preconditioned::errorByNorms);
  }

  /**
   * What a backend knows of inverses ends with them. The gradient lies along their small
   * eigenvector, which leaves it as it is; the other eigenvalues are so large that fp32 alone would
   * be half a percent off, and more.
   */
  private void inversesMadeAnew() {
    int n = 64;
    double large = 1 << 17; // all elements below are fp32 numbers
    double[] identity = Fixtures.damped(new double[n * n], n, 0, 1);
    double[] inverse = new double[n * n];
    Arrays.setAll(inverse, i -> large * identity[i] - (large - 1) / n);
    double[] row = Fixtures.gaussian(comparison.random(VERB, "inverses made anew"), n);
    double[] dw = new double[n * n];
    Arrays.setAll(dw, i -> (float) row[i / n]);
    for (boolean copied : new boolean[] {false, true}) {
      comparison.measure(
          VERB,
          "inverses made anew by " + (copied ? "copyFrom" : "set"),
          side -> {
            MatrixStack g = side.stack(1, n, n, identity);
            MatrixStack a = side.stack(1, n, n, identity);
            HostTensor u = side.tensor(new double[n * n], n, n);
            Gradient in = new Gradient(side.tensor(dw, n, n), null);
            List<PreconditionRequest> step =
                List.of(new PreconditionRequest(g, a, 1, in, new Gradient(u, null)));
            side.backend().precondition(step);
            double before = Fixtures.error(u.toArray(), dw);
            demand(before <= 16 * Fixtures.U, "the identity changed the gradient: %s", before);
            if (copied) {
              a.copyFrom(side.stack(1, n, n, inverse));
            } else {
              a.set(inverse);
            }
            side.backend().precondition(step);
            return new Measured(Fixtures.frobeniusError(u.toArray(), dw), StepAccuracy.BOUND);
          });
    }
  }

  /** Into other tensors, and in place. */
  private static Preconditioned precondition(
      Side side, GradientShape shape, double[] g, double[] a, double[] dw) {
    MatrixStack gInverse = side.stack(shape.groups(), shape.rows(), shape.rows(), g);
    MatrixStack aInverse = side.stack(shape.groups(), shape.dim(), shape.dim(), a);
    Gradient in = shape.gradient(side, dw);
    Gradient out = shape.gradient(side, new double[dw.length]);
    PreconditionRequest elsewhere = new PreconditionRequest(gInverse, aInverse, 0.5, in, out);
    double inner = side.backend().precondition(List.of(elsewhere))[0];
    demand(Arrays.equals(GradientShape.elements(in), dw), "the gradient was changed");
    side.backend().precondition(List.of(new PreconditionRequest(gInverse, aInverse, 0.5, in, in)));
    boolean same = Arrays.equals(GradientShape.elements(in), GradientShape.elements(out));
    demand(same, "another result in place");
    return Preconditioned.of(out, inner, dw);
  }
}
