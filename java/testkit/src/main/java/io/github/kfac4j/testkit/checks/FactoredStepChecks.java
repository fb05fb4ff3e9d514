package io.github.kfac4j.testkit.checks;

import static io.github.kfac4j.testkit.Fixtures.frobeniusError;
import static io.github.kfac4j.testkit.checks.Comparison.demand;

import io.github.kfac4j.Kfac;
import io.github.kfac4j.backend.StepAccuracy;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.testkit.Fixtures;
import io.github.kfac4j.testkit.KroneckerBasis;
import io.github.kfac4j.testkit.RankDeficientBatch;
import io.github.kfac4j.testkit.RankDeficientBatch.Inputs;
import java.util.ArrayList;
import java.util.List;
import java.util.function.DoubleBinaryOperator;

/**
 * How good whole steps by Cholesky's inverses are where a batch is smaller than a layer and the
 * gradient is that of the batch, g'x / N, which has nothing where inverses are largest. They are
 * compared with those of exact factors in exact arithmetic. A backend that stores fp32 may be
 * {@link StepAccuracy#BOUND} off, or twice as much as fp64 arithmetic on numbers rounded where they
 * are stored; an fp64 backend 1e-5, and more where the condition of the block is beyond 4e8.
 */
final class FactoredStepChecks {
  private static final KfacOptions OPTIONS = KfacOptions.DEFAULT.withDecay(0).withIntervals(1, 1);

  /** Of the block's largest eigenvalue: conditions of 10 to 1e6, which fp32 can invert. */
  private static final double[] DAMPINGS = {1e-1, 1e-3, 1e-5, 1e-6};

  private final Comparison comparison;

  FactoredStepChecks(Comparison comparison) {
    this.comparison = comparison;
  }

  void run() {
    for (Inputs inputs : Inputs.values()) {
      for (int examples : RankDeficientBatch.EXAMPLES) {
        RankDeficientBatch batch = RankDeficientBatch.of(inputs, examples, 120);
        comparison.measure(
            "precondition",
            "factored damping, gradient of the batch, " + batch,
            side -> Measured.worst(errors(side, batch)));
      }
    }
  }

  private static List<Measured> errors(Side side, RankDeficientBatch batch) {
    boolean fp64 = side.isDouble();
    double[] dw = batch.gradient();
    KroneckerBasis stored = BatchSteps.stored(batch);
    List<Measured> all = new ArrayList<>();
    // from large to small: inverses only grow, and what was known of the last ones is not enough
    try (Kfac kfac = BatchSteps.observed(side, batch, OPTIONS)) {
      for (double relative : DAMPINGS) {
        double damping = relative * batch.most();
        kfac.reconfigure(OPTIONS.withDamping(damping));
        String status = kfac.refresh().get(0).perGroup().get(0).status();
        demand(status.equals("ok"), "damping %s: %s", damping, status);
        double onG = Math.sqrt(damping) / BatchSteps.pi(batch);
        double onA = Math.sqrt(damping) * BatchSteps.pi(batch);
        DoubleBinaryOperator damped = (g, a) -> (g + onG) * (a + onA);
        double[] expected = batch.gradientStep(damped);
        double[] rounded = stored.divideByStoredInverses(onG, onA, Fixtures.rounded(dw));
        double floor = frobeniusError(rounded, expected);
        all.add(
            new Measured(
                frobeniusError(BatchSteps.step(kfac, batch, dw, fp64), expected),
                fp64
                    ? BatchSteps.boundInDouble(batch, damping)
                    : Math.max(StepAccuracy.BOUND, 2 * floor)));
      }
    }
    return all;
  }
}
