package io.github.kfac4j.experiments.study.batchsize;

import io.github.kfac4j.experiments.study.report.Interval;
import io.github.kfac4j.experiments.study.trial.Digits;
import io.github.kfac4j.experiments.study.trial.Metaparameter;
import io.github.kfac4j.experiments.study.trial.Result;
import io.github.kfac4j.experiments.study.trial.Settings;
import io.github.kfac4j.experiments.study.trial.TrialOutcome;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The results in words, as rows and as a tree. */
record BatchSizeReport(List<ScalingCurve> curves, Settings settings) {
  static final List<String> METHOD =
      List.of(
          "Steps to the goal: the median over the repetitions of an optimizer's best trial with seeds"
              + " of their own, counted to the first evaluation at the goal; so many steps apart as"
              + " the column within says. Without repetitions those of the best trial, which is the"
              + " luckiest of its search too.",
          "Trials are points of one scrambled Sobol sequence, the same for all batch sizes. A trial"
              + " ends behind the best one before it, except in a study that runs to the end: those"
              + " in the column cut might have reached the goal later. Divergent trials are made up"
              + " for; divergent means that the loss is not finite, or that of the last 10 steps"
              + " above the stated multiple of the first.",
          "Examples: steps times batch size, as a multiple of those with the optimizer's smallest"
              + " batch size; 1 is perfect scaling, the dashed lines. The critical batch size is where"
              + " they double, interpolated on logarithmic scales, at the first crossing. The exponent"
              + " s is that of steps ~ batch^-s by least squares, 1 in perfect scaling.",
          "Intervals: 95 %, by 2,000 resamplings of the repetitions. They know of the seeds of weights"
              + " and data order, not of the luck of the search.",
          "At edge: the best value lies in the outer tenth of its range, so that a better one may lie"
              + " outside.");

  /** One sentence for each optimizer, what can be said of their order, and what spoils them. */
  List<String> findings() {
    List<String> findings = new ArrayList<>();
    for (ScalingCurve curve : curves) {
      Interval critical = curve.criticalInterval();
      Interval exponent = curve.exponentInterval();
      findings.add(
          "%s: critical batch size %s%s; exponent %s%s."
              .formatted(
                  curve.optimizer().title(),
                  curve.critical().describe(),
                  critical == null ? "" : " (%s)".formatted(critical.describe(3)),
                  Double.isNaN(curve.exponent())
                      ? "unknown"
                      : Digits.significant(curve.exponent(), 3),
                  exponent == null ? "" : " (%s)".formatted(exponent.describe(3))));
    }
    findings.addAll(order());
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

  /** Which of two critical batch sizes is the larger one, of every pair. */
  private List<String> order() {
    List<String> sentences = new ArrayList<>();
    for (int i = 0; i < curves.size(); i++) {
      for (int j = i + 1; j < curves.size(); j++) {
        ScalingCurve a = curves.get(i);
        ScalingCurve b = curves.get(j);
        Interval x = a.criticalInterval();
        Interval y = b.criticalInterval();
        if (x == null || y == null || x.overlaps(y)) {
          sentences.add(
              "%s and %s: order of critical batch sizes not established."
                  .formatted(a.optimizer().title(), b.optimizer().title()));
        } else {
          boolean larger = x.low() > y.high();
          sentences.add(
              "%s has a larger critical batch size than %s."
                  .formatted(
                      (larger ? a : b).optimizer().title(), (larger ? b : a).optimizer().title()));
        }
      }
    }
    return sentences;
  }

  private Stream<Tuning> tunings() {
    return curves.stream().flatMap(curve -> curve.tunings().stream());
  }

  /** The header and a row for each optimizer and batch size. */
  List<List<String>> table() {
    List<Metaparameter> searched =
        Arrays.stream(Metaparameter.values())
            .filter(m -> tunings().anyMatch(tuning -> !value(tuning, m).equals("–")))
            .toList();
    List<List<String>> rows = new ArrayList<>();
    List<String> header =
        new ArrayList<>(
            List.of(
                "optimizer",
                "batch",
                "steps",
                "runs",
                "within",
                "examples",
                "trials",
                "reached",
                "cut",
                "diverged"));
    searched.forEach(m -> header.add(m.title()));
    header.add("at edge");
    rows.add(header);
    for (ScalingCurve curve : curves) {
      for (Tuning t : curve.tunings()) {
        List<String> row =
            new ArrayList<>(
                List.of(
                    curve.optimizer().title(),
                    Integer.toString(t.batch()),
                    steps(t.steps()),
                    Arrays.stream(t.runs())
                        .sorted()
                        .mapToObj(BatchSizeReport::steps)
                        .collect(Collectors.joining(" ")),
                    Long.toString(settings.interval(t.batch())),
                    curve.excess(t) == null ? "–" : "x %.2f".formatted(curve.excess(t)),
                    Integer.toString(t.search().size()),
                    Long.toString(t.count(TrialOutcome::reached)),
                    Long.toString(t.count(TrialOutcome::cut)),
                    Long.toString(t.count(TrialOutcome::diverged))));
        searched.forEach(m -> row.add(value(t, m)));
        row.add(String.join(", ", t.edges()));
        rows.add(row);
      }
    }
    return rows;
  }

  private static String steps(Double steps) {
    return steps == null || steps == Double.POSITIVE_INFINITY ? "–" : Digits.significant(steps, 6);
  }

  private static String value(Tuning tuning, Metaparameter metaparameter) {
    Double value = tuning.best() == null ? null : tuning.best().trial().values().get(metaparameter);
    return value == null ? "–" : metaparameter.text(value);
  }

  /** For {@code --json}; what does not exist is null. */
  List<Map<String, Object>> tree() {
    List<Map<String, Object>> optimizers = new ArrayList<>();
    for (ScalingCurve curve : curves) {
      Map<String, Object> node = new LinkedHashMap<>();
      node.put("name", curve.optimizer().toString());
      node.put("critical_batch", curve.critical());
      node.put("critical_batch_interval", tree(curve.criticalInterval()));
      node.put("exponent", finite(curve.exponent()));
      node.put("exponent_interval", tree(curve.exponentInterval()));
      node.put("batches", curve.tunings().stream().map(t -> tree(t, curve.excess(t))).toList());
      optimizers.add(node);
    }
    return optimizers;
  }

  /** Low and high end; an end that is not finite is null. */
  private static List<Double> tree(Interval interval) {
    return interval == null ? null : Arrays.asList(finite(interval.low()), finite(interval.high()));
  }

  private static Double finite(double value) {
    return Double.isFinite(value) ? Double.valueOf(value) : null;
  }

  private Map<String, Object> tree(Tuning t, Double excess) {
    Map<String, Object> node = new LinkedHashMap<>();
    node.put("batch", t.batch());
    node.put("evaluated_every_steps", settings.interval(t.batch()));
    node.put("steps_to_goal", t.steps());
    node.put("runs", Arrays.stream(t.runs()).mapToObj(BatchSizeReport::finite).toList());
    node.put("examples_over_perfect", excess);
    node.put("trials", t.search().size());
    node.put("reached", t.count(TrialOutcome::reached));
    node.put("cut", t.count(TrialOutcome::cut));
    node.put("diverged", t.count(TrialOutcome::diverged));
    Result best = t.best();
    node.put("best_trial", best == null ? null : best.trial().number());
    node.put("best_values", best == null ? null : best.outcome().values());
    node.put("at_edge", t.edges());
    return node;
  }
}
