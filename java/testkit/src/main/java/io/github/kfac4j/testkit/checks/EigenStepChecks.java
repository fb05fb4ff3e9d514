package io.github.kfac4j.testkit.checks;

import static io.github.kfac4j.testkit.Fixtures.frobeniusError;
import static io.github.kfac4j.testkit.Fixtures.rounded;
import static io.github.kfac4j.testkit.checks.Comparison.demand;

import io.github.kfac4j.Kfac;
import io.github.kfac4j.data.LayerGradient;
import io.github.kfac4j.data.Observation;
import io.github.kfac4j.layer.Dense;
import io.github.kfac4j.options.Approximation;
import io.github.kfac4j.options.DampingMode;
import io.github.kfac4j.options.InversePolicy;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.testkit.Fixtures;
import io.github.kfac4j.testkit.KroneckerBasis;
import io.github.kfac4j.testkit.RankDeficientBatch;
import io.github.kfac4j.testkit.RankDeficientBatch.Inputs;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.DoubleBinaryOperator;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;

/**
 * How good whole steps by eigendecompositions are where factors are rank-deficient, as they are
 * wherever a batch is smaller than a layer. They are compared with those of exact factors in exact
 * arithmetic. A backend that stores fp32 may be twice as far off as fp64 arithmetic on numbers
 * rounded where they are stored, its floor, and 2e-5 more; of the gradient of the batch itself,
 * twice that floor or 1e-3. An fp64 backend may be 1e-5 off, and of the batch's gradient where the
 * condition of the block is beyond 4e8 as much as the condition times n roundings, 1e-3 at most.
 */
final class EigenStepChecks {
  private static final String VERB = "decompose";
  private static final double[] DAMPINGS = {1e-1, 1e-2, 3e-4};
  private static final KfacOptions OPTIONS =
      KfacOptions.DEFAULT.withDecay(0).withIntervals(1, 1).withDamping(DAMPINGS[0]);
  private static final KfacOptions EXACT = OPTIONS.withDampingMode(DampingMode.EXACT);

  private final Comparison comparison;

  EigenStepChecks(Comparison comparison) {
    this.comparison = comparison;
  }

  void run(Extent extent) {
    for (Inputs inputs : Inputs.values()) {
      for (int examples : RankDeficientBatch.EXAMPLES) {
        RankDeficientBatch batch = RankDeficientBatch.of(inputs, examples, 120);
        measure("exact damping", batch, EigenStepChecks::exactDamping);
        measure("inverses by eigenvalues", batch, EigenStepChecks::inversesByEigenvalues);
        measure("EKFAC", batch, EigenStepChecks::ekfac);
      }
    }
    if (extent.has(299)) {
      RankDeficientBatch wide = RankDeficientBatch.of(Inputs.CONSTANT, 2, 299);
      measure("exact damping", wide, EigenStepChecks::exactDamping);
    }
    innerProduct();
  }

  /** A way to precondition. */
  private interface Way {
    List<Measured> errors(Side side, RankDeficientBatch batch);
  }

  private void measure(String name, RankDeficientBatch batch, Way way) {
    comparison.measure(VERB, name + ", " + batch, side -> Measured.worst(way.errors(side, batch)));
  }

  /** Inputs max(0, sin(i^2 + 1)), output gradients 1; the number is LAPACK's in fp64. */
  private void innerProduct() {
    double[] x = new double[280];
    Arrays.setAll(x, i -> Math.max(0, Math.sin((double) i * i + 1)));
    double[] dw = new double[70];
    Arrays.setAll(dw, i -> (x[i] + x[i + 70] + x[i + 140] + x[i + 210]) / 4);
    comparison.measure(
        VERB,
        "exact damping, inner product with the gradient of 4 examples in a layer of 70",
        side -> {
          Map<String, Dense> layers = Map.of("layer", new Dense(70, 1, false));
          try (Kfac kfac = new Kfac(side.backend(), layers, EXACT.withDamping(1e-3))) {
            HostTensor ones = HostTensor.of(new double[] {1, 1, 1, 1}, 4, 1);
            kfac.observe(List.of(Observation.ofSumLoss("layer", HostTensor.of(x, 4, 70), ones)));
            kfac.refresh();
            HostTensor gradient = HostTensor.of(dw, 1, 70);
            double inner =
                kfac.precondition(List.of(new LayerGradient("layer", gradient))).innerProduct();
            return new Measured(
                Math.abs(inner - 0.9999075097797876), side.isDouble() ? 1e-12 : 1e-6);
          }
        });
  }

  private static List<Measured> exactDamping(Side side, RankDeficientBatch batch) {
    try (Kfac kfac = BatchSteps.observed(side, batch, EXACT)) {
      kfac.refresh();
      KroneckerBasis stored = BatchSteps.stored(batch);
      List<Measured> all = new ArrayList<>();
      for (double damping : DAMPINGS) {
        kfac.reconfigure(EXACT.withDamping(damping));
        DoubleBinaryOperator damped = (g, a) -> g * a + damping;
        double[] diagonal = stored.diagonal(damped);
        Steps steps =
            new Steps(
                dw -> batch.step(damped, dw),
                () -> batch.gradientStep(damped),
                dw -> stored.divide(diagonal, dw));
        all.addAll(compare(side, kfac, batch, damping, steps));
      }
      return all;
    }
  }

  private static List<Measured> inversesByEigenvalues(Side side, RankDeficientBatch batch) {
    KfacOptions options =
        OPTIONS.withInversePolicy(InversePolicy.DEFAULT.withMethod(InversePolicy.Method.EIGEN));
    try (Kfac kfac = BatchSteps.observed(side, batch, options)) {
      KroneckerBasis stored = BatchSteps.stored(batch);
      double pi = BatchSteps.pi(batch);
      List<Measured> all = new ArrayList<>();
      for (double damping : DAMPINGS) {
        kfac.reconfigure(options.withDamping(damping));
        // where eigenvectors stored in fp32 leave an inverse beyond its bound, Cholesky may do
        // better; from conditions of 3e5 on even the exact inverse, rounded, is beyond it
        String status = kfac.refresh().get(0).perGroup().get(0).status();
        demand(
            status.matches(
                "ok|[AG] inaccurate.*inverted by Cholesky(, inaccurate: estimated error .*)?"),
            "damping %s: %s",
            damping,
            status);
        double onG = Math.sqrt(damping) / pi;
        double onA = Math.sqrt(damping) * pi;
        DoubleBinaryOperator damped = (g, a) -> (g + onG) * (a + onA);
        Steps steps =
            new Steps(
                dw -> batch.step(damped, dw),
                () -> batch.gradientStep(damped),
                dw -> stored.divideByStoredInverses(onG, onA, dw));
        all.addAll(compare(side, kfac, batch, damping, steps));
      }
      return all;
    }
  }

  /**
   * Where eigenvalues are equal, as in a null space, eigenvectors are not unique and the measured
   * moments depend on which they are: the basis is the one that the backend chose.
   */
  private static List<Measured> ekfac(Side side, RankDeficientBatch batch) {
    KfacOptions options = EXACT.withApproximation(Approximation.EKFAC);
    try (Kfac kfac = BatchSteps.observed(side, batch, options)) {
      kfac.refresh();
      BatchSteps.observe(kfac, batch);
      KroneckerBasis stored =
          new KroneckerBasis(
              kfac.state().factor("layer", "G_basis"),
              new double[batch.outputs],
              kfac.state().factor("layer", "A_basis"),
              new double[batch.width]);
      KroneckerBasis basis = stored.orthonormal();
      double[] moments = basis.moments(batch);
      double[] storedMoments = rounded(stored.moments(batch));
      List<Measured> all = new ArrayList<>();
      for (double damping : DAMPINGS) {
        kfac.reconfigure(options.withDamping(damping));
        Steps steps =
            new Steps(
                dw -> basis.divide(plus(moments, damping), dw),
                () -> basis.divide(plus(moments, damping), batch.gradient()),
                dw -> stored.divide(plus(storedMoments, damping), dw));
        all.addAll(compare(side, kfac, batch, damping, steps));
      }
      return all;
    }
  }

  private static double[] plus(double[] x, double y) {
    return Arrays.stream(x).map(v -> v + y).toArray();
  }

  /**
   * Steps to compare with.
   *
   * @param exact with any gradient
   * @param exactGradient with the gradient of the batch itself
   * @param stored with factors that were rounded to fp32
   */
  private record Steps(
      UnaryOperator<double[]> exact,
      Supplier<double[]> exactGradient,
      UnaryOperator<double[]> stored) {}

  /**
   * A random gradient lies mostly in the null space, where eigenvalues matter; that of the batch
   * lies wholly outside, where what products lose in the null space is divided by the damping.
   */
  private static List<Measured> compare(
      Side side, Kfac kfac, RankDeficientBatch batch, double damping, Steps steps) {
    boolean fp64 = side.isDouble();
    double[] any = Fixtures.gaussian(new Random(3), batch.outputs * batch.width);
    double[] expected = steps.exact().apply(any);
    double floor = frobeniusError(steps.stored().apply(any), expected);
    Measured random =
        new Measured(
            frobeniusError(BatchSteps.step(kfac, batch, any, fp64), expected),
            fp64 ? 1e-5 : 2 * floor + 2e-5);
    double[] own = batch.gradient();
    expected = steps.exactGradient().get();
    floor = frobeniusError(steps.stored().apply(rounded(own)), expected);
    Measured ofBatch =
        new Measured(
            frobeniusError(BatchSteps.step(kfac, batch, own, fp64), expected),
            fp64 ? BatchSteps.boundInDouble(batch, damping) : Math.max(1e-3, 2 * floor));
    return List.of(random, ofBatch);
  }
}
