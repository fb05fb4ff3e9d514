package io.github.kfac4j.testkit.checks;

import io.github.kfac4j.Kfac;
import io.github.kfac4j.data.LayerGradient;
import io.github.kfac4j.data.Observation;
import io.github.kfac4j.layer.Dense;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.testkit.Fixtures;
import io.github.kfac4j.testkit.KroneckerBasis;
import io.github.kfac4j.testkit.Literal;
import io.github.kfac4j.testkit.RankDeficientBatch;
import java.util.List;
import java.util.Map;

/** Whole steps of K-FAC with a batch that is smaller than its layer. */
final class BatchSteps {
  private BatchSteps() {}

  /** K-FAC of the layer alone, which has seen the batch. */
  static Kfac observed(Side side, RankDeficientBatch batch, KfacOptions options) {
    Dense layer = new Dense(batch.width, batch.outputs, false);
    Kfac kfac = new Kfac(side.backend(), Map.of("layer", layer), options);
    observe(kfac, batch);
    return kfac;
  }

  /** Shows the batch once more. */
  static void observe(Kfac kfac, RankDeficientBatch batch) {
    kfac.observe(
        List.of(
            Observation.ofSumLoss(
                "layer",
                Fixtures.direct(batch.x, batch.examples, batch.width),
                Fixtures.direct(batch.g, batch.examples, batch.outputs))));
  }

  /** Both factors rounded to fp32, and their eigenvectors in fp64. */
  static KroneckerBasis stored(RankDeficientBatch batch) {
    return KroneckerBasis.of(
        Fixtures.rounded(batch.factorG()),
        batch.outputs,
        Fixtures.rounded(batch.factorA()),
        batch.width);
  }

  /** By which A's damping is larger, and G's smaller, than the root of the layer's. */
  static double pi(RankDeficientBatch batch) {
    double a = Literal.trace(batch.factorA(), batch.width) / batch.width;
    double g = Literal.trace(batch.factorG(), batch.outputs) / batch.outputs;
    return Math.sqrt(a / g);
  }

  /**
   * The step with a gradient.
   *
   * @param fp64 whether the gradient has all its digits, else it is rounded to fp32
   */
  static double[] step(Kfac kfac, RankDeficientBatch batch, double[] dw, boolean fp64) {
    HostTensor u =
        fp64
            ? HostTensor.of(dw.clone(), batch.outputs, batch.width)
            : Fixtures.direct(dw, batch.outputs, batch.width);
    kfac.preview(List.of(new LayerGradient("layer", u)));
    return u.toArray();
  }

  /** Of an fp64 backend, how far off a step with the gradient of the batch may be. */
  static double boundInDouble(RankDeficientBatch batch, double damping) {
    double condition = 1 + batch.most() / damping;
    return Math.min(1e-3, Math.max(1e-5, batch.width * Math.ulp(1.0) * condition));
  }
}
