package io.github.kfac4j.experiments.study.batchsize;

import io.github.kfac4j.experiments.plot.Curve;
import io.github.kfac4j.experiments.plot.Panel;
import io.github.kfac4j.experiments.study.trial.Evaluation;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Function;

/** Validation against steps in the best trials, a panel for each batch size. */
final class ValidationPlot {
  private ValidationPlot() {}

  /** None if nothing is known of what happened on the way. */
  static List<Panel> panels(List<ScalingCurve> scaling) {
    boolean classes =
        scaling.stream()
            .flatMap(s -> s.tunings().stream())
            .filter(t -> t.best() != null)
            .flatMap(t -> t.best().outcome().curve().stream())
            .anyMatch(point -> point.accuracy() != null);
    Function<Evaluation, Double> y = classes ? Evaluation::accuracy : Evaluation::loss;
    List<Panel> panels = new ArrayList<>();
    List<Integer> batches =
        scaling.stream().flatMap(s -> s.tunings().stream()).map(Tuning::batch).distinct().toList();
    for (int batch : batches.stream().sorted().toList()) {
      List<Curve> curves = new ArrayList<>();
      for (ScalingCurve one : scaling) {
        one.tunings().stream()
            .filter(t -> t.batch() == batch && t.best() != null)
            .map(t -> line(one, t, y))
            .filter(Objects::nonNull)
            .forEach(curves::add);
      }
      if (!curves.isEmpty()) {
        panels.add(
            new Panel(
                "batch size " + batch,
                Panel.Axis.linear("steps"),
                Panel.Axis.linear(classes ? "validation accuracy" : "validation loss"),
                classes ? Panel.Corner.SOUTH_EAST : Panel.Corner.NORTH_EAST,
                curves));
      }
    }
    return panels;
  }

  private static Curve line(ScalingCurve one, Tuning tuning, Function<Evaluation, Double> y) {
    List<Evaluation> known =
        tuning.best().outcome().curve().stream().filter(point -> y.apply(point) != null).toList();
    return known.size() < 2
        ? null
        : Curve.solid(
            one.optimizer().title(),
            known.stream().mapToDouble(Evaluation::step).toArray(),
            known.stream().mapToDouble(y::apply).toArray(),
            ScalingPlot.color(one.optimizer()));
  }
}
