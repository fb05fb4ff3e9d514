package io.github.kfac4j.experiments.figures;

import io.github.kfac4j.experiments.plot.Curve;
import io.github.kfac4j.experiments.plot.Palette;
import io.github.kfac4j.experiments.plot.Panel;
import io.github.kfac4j.nqm.Method;
import io.github.kfac4j.nqm.TunedRun;
import java.util.ArrayList;
import java.util.List;

/** Figure 13: SGD's steps against batch size for easier and harder targets. */
final class TargetFigure implements Figure {
  private static final double[] BATCHES = Results.powersOfTwo(2, 21, 1);
  private static final double[] TARGETS = {0.1, 0.03, 0.01, 0.003, 0.001};

  @Override
  public String id() {
    return "13";
  }

  @Override
  public String title() {
    return "Easier and harder targets";
  }

  @Override
  public int work() {
    return TARGETS.length * BATCHES.length;
  }

  @Override
  public Drawing draw(Results results) {
    CsvTable table = new CsvTable("target", "batch", "steps", "learning_rate", "bound");
    List<Curve> curves = new ArrayList<>();
    double[] critical = new double[TARGETS.length];
    for (int i = 0; i < TARGETS.length; i++) {
      List<TunedRun> runs = results.runs(Method.SGD, null, 0, BATCHES, TARGETS[i]);
      double[] bounds = results.bounds(BATCHES, TARGETS[i]);
      for (int j = 0; j < BATCHES.length; j++) {
        TunedRun run = runs.get(j);
        table.row(TARGETS[i], BATCHES[j], run.steps(), run.algorithm().learningRate(), bounds[j]);
        critical[i] = run.examples() <= 2 * runs.get(0).examples() ? j + 2 : critical[i];
      }
      curves.add(
          Curve.solid(
              "C = " + TARGETS[i], BATCHES, Runs.steps(runs), Palette.ordered(i, TARGETS.length)));
    }
    Panel panel =
        new Panel(
            "",
            Panel.Axis.log2("Batch size"),
            Panel.Axis.log2("Steps to target"),
            Panel.Corner.NORTH_EAST,
            curves);
    return new Drawing(
        Names.format(
            "Harder targets raise the critical batch size: twice the examples are needed beyond 2^%.0f"
                + " for C = 0.1 and beyond 2^%.0f for C = 0.001.",
            critical[0], critical[TARGETS.length - 1]),
        table,
        List.of(panel));
  }
}
