package io.github.kfac4j.experiments.figures;

import io.github.kfac4j.experiments.plot.Curve;
import io.github.kfac4j.experiments.plot.Palette;
import io.github.kfac4j.experiments.plot.Panel;
import io.github.kfac4j.experiments.plot.PanelChart;
import io.github.kfac4j.nqm.TunedSchedule;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/** Figure 3c: the optimal schedules themselves, without preconditioning. */
final class ScheduleShapeFigure implements Figure {
  /** Batch sizes whose schedules are drawn; Figure 15 sums them up. */
  static final double[] BATCHES = Results.powersOfTwo(4, 12, 1);

  static final int PIECES = 50;

  @Override
  public String id() {
    return "3c";
  }

  @Override
  public String title() {
    return "Optimal schedules";
  }

  @Override
  public int work() {
    return BATCHES.length;
  }

  @Override
  public Drawing draw(Results results) {
    CsvTable table = new CsvTable("batch", "steps_per_piece", "piece", "learning_rate");
    List<TunedSchedule> schedules = results.schedules(0, BATCHES, PIECES);
    List<Curve> curves = new ArrayList<>();
    for (int i = 0; i < BATCHES.length; i++) {
      double[] rates = schedules.get(i).schedule().learningRates();
      double[] pieces = IntStream.rangeClosed(1, rates.length).asDoubleStream().toArray();
      for (int j = 0; j < rates.length; j++) {
        table.row(BATCHES[i], schedules.get(i).schedule().stepsPerPiece(), j + 1, rates[j]);
      }
      String name = "B = " + PanelChart.powerOfTwo(i + 4);
      curves.add(Curve.solid(name, pieces, rates, Palette.ordered(i, BATCHES.length)));
    }
    Panel panel =
        new Panel(
            "",
            Panel.Axis.linear("Piece of the schedule").within(0, PIECES),
            Panel.Axis.log2("Learning rate").within(Math.pow(2, -9), 4),
            Panel.Corner.SOUTH_WEST,
            curves);
    return new Drawing(
        Names.format(
            "Every optimal schedule starts at the largest stable rate, holds it (for %d of 50 pieces"
                + " at B = 16, for %d at B = 4096) and then decays; larger batches decay later.",
            schedules.get(0).schedule().plateauPieces(),
            schedules.get(BATCHES.length - 1).schedule().plateauPieces()),
        table,
        List.of(panel));
  }
}
