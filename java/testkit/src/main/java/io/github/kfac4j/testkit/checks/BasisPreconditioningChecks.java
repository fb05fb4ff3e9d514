package io.github.kfac4j.testkit.checks;

import static io.github.kfac4j.testkit.Fixtures.frobeniusError;
import static io.github.kfac4j.testkit.Fixtures.rounded;
import static io.github.kfac4j.testkit.checks.Comparison.demand;

import io.github.kfac4j.backend.Basis;
import io.github.kfac4j.backend.BasisPreconditionRequest;
import io.github.kfac4j.backend.Gradient;
import io.github.kfac4j.testkit.Fixtures;
import io.github.kfac4j.testkit.KroneckerBasis;
import io.github.kfac4j.testkit.RankDeficientBatch;
import io.github.kfac4j.testkit.RankDeficientBatch.Inputs;
import io.github.kfac4j.testkit.checks.GradientShape.Preconditioned;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** Gradients divided by damped moments in a basis, and their inner products. */
final class BasisPreconditioningChecks {
  private static final String VERB = "preconditionInBasis";

  private final Comparison comparison;

  BasisPreconditioningChecks(Comparison comparison) {
    this.comparison = comparison;
  }

  void run(Extent extent) {
    for (GradientShape shape : GradientShape.all(extent)) {
      for (BasisForm form : BasisForm.values()) {
        inBasis(shape, form);
      }
    }
    for (Inputs inputs : List.of(Inputs.GAUSSIAN, Inputs.RELU, Inputs.CONSTANT)) {
      for (int examples : new int[] {1, 3, 32}) {
        eigenvectors(RankDeficientBatch.of(inputs, examples, 120));
      }
    }
    if (extent.has(299)) {
      eigenvectors(RankDeficientBatch.of(Inputs.CONSTANT, 2, 299));
    }
  }

  private void inBasis(GradientShape shape, BasisForm form) {
    String what = shape.name() + ", " + form;
    Random random = comparison.random(VERB, what);
    int groups = shape.groups();
    int rows = shape.rows();
    int dim = shape.dim();
    double[] qg = form.random(random, groups, rows);
    double[] qa = form.random(random, groups, dim);
    double[] moments = Fixtures.gaussian(random, groups * rows * dim);
    Arrays.setAll(moments, i -> Math.abs(moments[i]));
    double[] dw = shape.random(random);
    comparison.check(
        VERB,
        what,
        Tolerance.ofTensors(Math.max(rows, dim) <= 64 ? 80 : 128),
        side -> {
          Gradient in = shape.gradient(side, dw);
          Gradient out = shape.gradient(side, new double[dw.length]);
          double inner = 0;
          for (Gradient into : List.of(out, in)) { // elsewhere first, then in place
            demand(Arrays.equals(GradientShape.elements(in), dw), "the gradient was changed");
            BasisPreconditionRequest step =
                new BasisPreconditionRequest(
                    form.basis(side, groups, rows, qg),
                    form.basis(side, groups, dim, qa),
                    side.stack(groups, rows, dim, moments),
                    2,
                    0.5,
                    in,
                    into);
            inner = side.backend().preconditionInBasis(List.of(step))[0];
          }
          boolean same = Arrays.equals(GradientShape.elements(in), GradientShape.elements(out));
          demand(same, "another result in place");
          return Preconditioned.of(in, inner, dw);
        },
        Preconditioned::error);
  }

  /**
   * With a null space, in the eigenvectors of its factors and with the moments of its examples: at
   * most twice as far from fp64 as fp64 with moments and gradients that were rounded to fp32, and
   * 2e-5 more; with the gradient of the batch, of which nothing lies in the null space, twice as
   * far or 1e-3.
   */
  private void eigenvectors(RankDeficientBatch batch) {
    KroneckerBasis basis =
        KroneckerBasis.of(batch.factorG(), batch.outputs, batch.factorA(), batch.width);
    double[] moments = basis.moments(batch);
    double[] any = Fixtures.gaussian(new Random(3), batch.outputs * batch.width);
    for (double damping : new double[] {1e-1, 3e-4}) {
      String what = "damping %s, eigenvectors of %s".formatted(damping, batch);
      measure("random gradient, " + what, batch, basis, moments, damping, any, false);
      measure("own gradient, " + what, batch, basis, moments, damping, batch.gradient(), true);
    }
  }

  private void measure(
      String what,
      RankDeficientBatch batch,
      KroneckerBasis basis,
      double[] moments,
      double damping,
      double[] dw,
      boolean own) {
    double[] expected = basis.divide(damped(moments, damping), dw);
    double floor =
        frobeniusError(basis.divide(damped(rounded(moments), damping), rounded(dw)), expected);
    comparison.measure(
        VERB,
        what,
        side -> {
          GradientShape shape = new GradientShape("", 1, batch.outputs, batch.width, false);
          Gradient gradient = shape.gradient(side, dw);
          BasisPreconditionRequest step =
              new BasisPreconditionRequest(
                  Basis.ofColumns(side.basis(batch.outputs, basis.g())),
                  Basis.ofColumns(side.basis(batch.width, basis.a())),
                  side.stack(1, batch.outputs, batch.width, moments),
                  1,
                  damping,
                  gradient,
                  gradient);
          side.backend().preconditionInBasis(List.of(step));
          double error = frobeniusError(GradientShape.elements(gradient), expected);
          return new Measured(error, own ? Math.max(1e-3, 2 * floor) : 2 * floor + 2e-5);
        });
  }

  private static double[] damped(double[] moments, double damping) {
    return Arrays.stream(moments).map(v -> v + damping).toArray();
  }
}
