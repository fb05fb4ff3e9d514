package io.github.kfac4j.experiments.study.spectrum;

import io.github.kfac4j.experiments.study.trial.StudyOptimizer;
import io.github.kfac4j.nqm.CriticalBatchSize;
import io.github.kfac4j.nqm.Method;
import io.github.kfac4j.nqm.Spectrum;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * The critical batch size that the noisy quadratic model predicts from a measured spectrum.
 *
 * @param step of the spectrum
 * @param optimizer as the model has it
 * @param power p of the preconditioner H^-p
 * @param batch critical; NaN if the model does not reach the goal
 */
record PredictedBatch(long step, StudyOptimizer optimizer, double power, double batch) {
  /** What the model takes an optimizer for; the powers are its assumption, not measured. */
  private record Row(String optimizer, Method method, double power) {}

  private static final List<Row> ROWS =
      List.of(
          new Row("sgd", Method.SGD, 0),
          new Row("heavy-ball", Method.MOMENTUM, 0),
          new Row("adam", Method.MOMENTUM, 0.5),
          new Row("kfac", Method.MOMENTUM, 0.75));

  static final String METHOD =
      "Predicted: the noisy quadratic model (Zhang et al., 2019) on the spectrum, gradient noise as"
          + " large as curvature, from the loss of that step to the goal; Adam as momentum with"
          + " H^-0.5, K-FAC as momentum with H^-0.75, which are assumptions.";

  /** Of all optimizers, with a risk to reach. */
  static List<PredictedBatch> of(long step, Path spectrum, double target) throws IOException {
    Spectrum measured = Spectrum.read(spectrum);
    List<PredictedBatch> all = new ArrayList<>();
    for (Row row : ROWS) {
      all.add(
          new PredictedBatch(
              step,
              StudyOptimizer.of("optimizer", row.optimizer),
              row.power,
              predict(measured, row, target)));
    }
    return all;
  }

  private static double predict(Spectrum spectrum, Row row, double target) {
    try {
      return CriticalBatchSize.predict(spectrum, row.method, row.power, target);
    } catch (IllegalArgumentException e) { // the goal is behind, or out of reach
      return Double.NaN;
    }
  }

  /** The batch sizes that are known. */
  static Stream<PredictedBatch> known(List<PredictedBatch> all) {
    return all.stream().filter(p -> !Double.isNaN(p.batch));
  }
}
