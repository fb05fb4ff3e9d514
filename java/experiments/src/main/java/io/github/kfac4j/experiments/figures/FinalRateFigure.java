package io.github.kfac4j.experiments.figures;

import static io.github.kfac4j.experiments.figures.Results.POWERS;
import static io.github.kfac4j.experiments.figures.Results.TARGET;

import io.github.kfac4j.experiments.plot.Curve;
import io.github.kfac4j.experiments.plot.Palette;
import io.github.kfac4j.experiments.plot.Panel;
import io.github.kfac4j.nqm.LearningRateSchedule;
import io.github.kfac4j.nqm.TunedSchedule;
import java.util.ArrayList;
import java.util.List;

/** Figure 15: where the optimal schedules of 50 pieces end, and what they cost. */
final class FinalRateFigure implements Figure {
  private static final double[] BATCHES = ScheduleShapeFigure.BATCHES;

  @Override
  public String id() {
    return "15";
  }

  @Override
  public String title() {
    return "Final learning rate and cost of optimal schedules";
  }

  @Override
  public int work() {
    return POWERS.length * BATCHES.length;
  }

  @Override
  public Drawing draw(Results results) {
    CsvTable table =
        new CsvTable(
            "power", "batch", "steps", "steps_over_bound", "final_learning_rate", "plateau_pieces");
    double[] bounds = results.bounds(BATCHES, TARGET);
    List<Curve> rates = new ArrayList<>();
    List<Curve> costs = new ArrayList<>();
    double slope = 0;
    for (int i = 0; i < POWERS.length; i++) {
      List<TunedSchedule> tuned = results.schedules(POWERS[i], BATCHES, ScheduleShapeFigure.PIECES);
      double[] last = Runs.column(tuned, t -> t.schedule().finalLearningRate());
      double[] steps = Runs.scheduleSteps(tuned);
      for (int j = 0; j < BATCHES.length; j++) {
        LearningRateSchedule schedule = tuned.get(j).schedule();
        table.row(
            POWERS[i],
            BATCHES[j],
            schedule.steps(),
            steps[j] / bounds[j],
            last[j],
            schedule.plateauPieces());
      }
      String name = Names.power(POWERS[i]);
      rates.add(Curve.solid(name, BATCHES, last, Palette.category(i)));
      costs.add(Curve.solid(name, BATCHES, steps, Palette.category(i)));
      // per octave, over the batches 2^4 to 2^9
      slope = i == 0 ? Math.log(last[5] / last[0]) / Math.log(2) / 5 : slope;
    }
    costs.add(Curve.bound(BATCHES, bounds));
    Panel.Axis batch = Panel.Axis.log2("Batch size");
    return new Drawing(
        Names.format(
            "The last rate of the optimal schedule grows in proportion to the batch size (without"
                + " preconditioning by 2^%.2f per doubling up to B = 2^9), as far as the schedule"
                + " decays at all.",
            slope),
        table,
        List.of(
            new Panel(
                "Last rate of the schedule",
                batch,
                Panel.Axis.log2("Final learning rate"),
                Panel.Corner.SOUTH_EAST,
                rates),
            new Panel(
                "Cost of the schedule",
                batch,
                Panel.Axis.log2("Steps to target"),
                Panel.Corner.NORTH_EAST,
                costs)));
  }
}
