package io.github.kfac4j.experiments.figures;

import static io.github.kfac4j.experiments.figures.Results.POWERS;
import static io.github.kfac4j.experiments.figures.Results.TARGET;

import io.github.kfac4j.experiments.plot.Curve;
import io.github.kfac4j.experiments.plot.Palette;
import io.github.kfac4j.experiments.plot.Panel;
import io.github.kfac4j.nqm.Method;
import io.github.kfac4j.nqm.TunedRun;
import io.github.kfac4j.nqm.TunedSchedule;
import java.util.ArrayList;
import java.util.List;

/**
 * Figure 3b: steps with a fixed learning rate, dashed, and with an optimal schedule of 10 pieces.
 */
final class ScheduleSpeedupFigure implements Figure {
  private static final double[] BATCHES = Results.powersOfTwo(2, 20, 2);
  private static final int PIECES = 10;

  @Override
  public String id() {
    return "3b";
  }

  @Override
  public String title() {
    return "Learning-rate schedules";
  }

  @Override
  public int work() {
    return 2 * POWERS.length * BATCHES.length;
  }

  @Override
  public Drawing draw(Results results) {
    CsvTable table = new CsvTable("power", "batch", "fixed_steps", "schedule_steps", "bound");
    double[] bounds = results.bounds(BATCHES, TARGET);
    List<Curve> curves = new ArrayList<>();
    double[] overBound = new double[POWERS.length];
    double fixedOverBound = 0;
    for (int i = 0; i < POWERS.length; i++) {
      List<TunedRun> fixed = results.runs(Method.SGD, POWERS[i], BATCHES);
      List<TunedSchedule> scheduled = results.schedules(POWERS[i], BATCHES, PIECES);
      String power = Names.power(POWERS[i]) + ", ";
      double[] steps = Runs.scheduleSteps(scheduled);
      curves.add(Curve.dashed(power + "fixed", BATCHES, Runs.steps(fixed), Palette.category(i)));
      curves.add(Curve.solid(power + "schedule", BATCHES, steps, Palette.category(i)));
      for (int j = 0; j < BATCHES.length; j++) {
        table.row(POWERS[i], BATCHES[j], fixed.get(j).steps(), (long) steps[j], bounds[j]);
      }
      overBound[i] = steps[0] / bounds[0];
      fixedOverBound = i == 0 ? fixed.get(0).steps() / bounds[0] : fixedOverBound;
    }
    curves.add(Curve.bound(BATCHES, bounds));
    Panel panel =
        new Panel(
            "",
            Panel.Axis.log2("Batch size"),
            Panel.Axis.log2("Steps to target").within(1, 1 << 21),
            Panel.Corner.NORTH_EAST,
            curves);
    return new Drawing(
        Names.format(
            "With small batches a schedule of ten pieces brings SGD from %.1f to %.2f times the"
                + " information-theoretic bound (B = 4), with p = 0.75 even to %.2f; with large"
                + " batches a fixed rate does as well.",
            fixedOverBound, overBound[0], overBound[POWERS.length - 1]),
        table,
        List.of(panel));
  }
}
