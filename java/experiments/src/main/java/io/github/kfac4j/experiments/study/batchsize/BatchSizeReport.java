package io.github.kfac4j.experiments.study.batchsize;

import io.github.kfac4j.experiments.study.batchsize.ScalingCurve.Tuning;
import io.github.kfac4j.experiments.study.trial.Digits;
import io.github.kfac4j.experiments.study.trial.Metaparameter;
import io.github.kfac4j.experiments.study.trial.Result;
import io.github.kfac4j.experiments.study.trial.Settings;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** The results in words, as rows and as a tree. */
record BatchSizeReport(List<ScalingCurve> curves, Settings settings) {
  static final List<String> METHOD =
      List.of(
          "Steps to the goal: the fewest over the trials of an optimizer and a batch size, counted"
              + " to the first evaluation at the goal; so many steps apart as the column within"
              + " says. Trials are points of one Halton sequence, the same for all batch sizes; a"
              + " trial ends behind the best one before it.",
          "Examples: steps times batch size, as a multiple of those with the optimizer's smallest"
              + " batch size; 1 is perfect scaling, the dashed lines. The critical batch size is"
              + " where they double, interpolated on logarithmic scales, at the first crossing.",
          "At edge: the best value lies in the outer tenth of its range, so that a better one may"
              + " lie outside.");

  /** One sentence for each optimizer, and what limits them. */
  List<String> findings() {
    List<String> findings = new ArrayList<>();
    for (ScalingCurve curve : curves) {
      findings.add(
          "%s: critical batch size %s."
              .formatted(curve.optimizer().title(), curve.critical().describe()));
    }
    long edges = tunings().filter(tuning -> !tuning.edges().isEmpty()).count();
    if (edges > 0) {
      findings.add(
          "Searches whose best values lie at the edge of what was searched: %d; widen it."
              .formatted(edges));
    }
    long none = tunings().filter(tuning -> tuning.best() == null).count();
    if (none > 0) {
      findings.add(
          "Searches that never reached the goal: %d; try more trials, a larger budget or a lower goal."
              .formatted(none));
    }
    return findings;
  }

  private Stream<Tuning> tunings() {
    return curves.stream().flatMap(curve -> curve.tunings().stream());
  }

  /** The header and a row for each optimizer and batch size. */
  List<List<String>> table() {
    List<List<String>> rows = new ArrayList<>();
    rows.add(
        List.of(
            "optimizer",
            "batch",
            "steps",
            "within",
            "examples",
            "trials",
            "reached",
            "diverged",
            "lr",
            "momentum",
            "damping",
            "at edge"));
    for (ScalingCurve curve : curves) {
      for (Tuning t : curve.tunings()) {
        rows.add(
            List.of(
                curve.optimizer().title(),
                Integer.toString(t.batch()),
                t.steps() == null ? "–" : t.steps().toString(),
                Long.toString(settings.interval(t.batch())),
                t.steps() == null ? "–" : "x %.2f".formatted(curve.excess(t)),
                Integer.toString(t.trials()),
                Integer.toString(t.reached()),
                Integer.toString(t.diverged()),
                value(t, Metaparameter.LEARNING_RATE),
                value(t, Metaparameter.MOMENTUM),
                value(t, Metaparameter.DAMPING),
                String.join(", ", t.edges())));
      }
    }
    return rows;
  }

  private static String value(Tuning tuning, Metaparameter metaparameter) {
    Double value = tuning.best() == null ? null : tuning.best().trial().values().get(metaparameter);
    return value == null ? "–" : Digits.significant(value, 3);
  }

  /** For {@code --json}; what does not exist is null. */
  List<Map<String, Object>> tree() {
    List<Map<String, Object>> optimizers = new ArrayList<>();
    for (ScalingCurve curve : curves) {
      Map<String, Object> node = new LinkedHashMap<>();
      node.put("name", curve.optimizer().toString());
      node.put("critical_batch", curve.critical());
      node.put("batches", curve.tunings().stream().map(t -> tree(t, curve.excess(t))).toList());
      optimizers.add(node);
    }
    return optimizers;
  }

  private Map<String, Object> tree(Tuning t, Double excess) {
    Map<String, Object> node = new LinkedHashMap<>();
    node.put("batch", t.batch());
    node.put("evaluated_every_steps", settings.interval(t.batch()));
    node.put("steps_to_goal", t.steps());
    node.put("examples_over_perfect", excess);
    node.put("trials", t.trials());
    node.put("reached", t.reached());
    node.put("diverged", t.diverged());
    Result best = t.best();
    node.put("best_trial", best == null ? null : best.trial().number());
    node.put("best_values", best == null ? null : best.outcome().values());
    node.put("at_edge", t.edges());
    return node;
  }
}
