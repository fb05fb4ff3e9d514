package io.github.kfac4j.experiments.report;

import io.github.kfac4j.experiments.options.OptimizerName;
import io.github.kfac4j.experiments.train.History;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;

/** Every step of every optimizer as a line; validation columns are empty between evaluations. */
public final class MetricsCsv {
  private static final String HEADER =
      "optimizer,step,epoch,seconds,train_loss,train_accuracy,validation_loss,validation_accuracy\n";

  private MetricsCsv() {}

  /** The file's text. */
  public static String of(Map<OptimizerName, History> histories) {
    StringBuilder csv = new StringBuilder(HEADER);
    histories.forEach(
        (optimizer, history) -> {
          Map<Long, History.Validation> validations = new HashMap<>();
          history.validations().forEach(v -> validations.put(v.step(), v));
          for (History.Step s : history.steps()) {
            History.Validation v = validations.get(s.step());
            csv.append(
                String.format(
                    Locale.ROOT,
                    "%s,%d,%.4f,%.3f,%.6f,%s,%s,%s\n",
                    optimizer,
                    s.step(),
                    s.epoch(),
                    s.seconds(),
                    s.loss(),
                    accuracy(s.accuracy()),
                    v == null ? "" : String.format(Locale.ROOT, "%.6f", v.loss()),
                    v == null ? "" : accuracy(v.accuracy())));
          }
        });
    return csv.toString();
  }

  /** Empty for a network without classes. */
  private static String accuracy(double value) {
    return Double.isNaN(value) ? "" : String.format(Locale.ROOT, "%.6f", value);
  }
}
