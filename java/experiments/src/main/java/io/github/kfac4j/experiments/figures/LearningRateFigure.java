package io.github.kfac4j.experiments.figures;

import static io.github.kfac4j.experiments.figures.Results.POWERS;
import static io.github.kfac4j.experiments.figures.Results.TARGET;

import io.github.kfac4j.experiments.plot.Curve;
import io.github.kfac4j.experiments.plot.Palette;
import io.github.kfac4j.experiments.plot.Panel;
import io.github.kfac4j.nqm.Method;
import io.github.kfac4j.nqm.TunedRun;
import java.util.ArrayList;
import java.util.List;

/**
 * Figure 14: optimal effective learning rates against batch size; momentum tuned, and held at 0.9.
 */
final class LearningRateFigure implements Figure {
  private static final double[] BATCHES = Results.powersOfTwo(2, 20, 2);
  private static final double HELD = 0.9;

  @Override
  public String id() {
    return "14";
  }

  @Override
  public String title() {
    return "Optimal learning rates";
  }

  @Override
  public int work() {
    return 3 * POWERS.length * BATCHES.length;
  }

  @Override
  public Drawing draw(Results results) {
    CsvTable table =
        new CsvTable(
            "method",
            "tuned_decay",
            "power",
            "batch",
            "learning_rate",
            "decay",
            "effective_learning_rate");
    List<Curve> tuned = new ArrayList<>();
    List<Curve> held = new ArrayList<>();
    String says = "";
    for (int i = 0; i < POWERS.length; i++) {
      List<TunedRun> sgd = results.runs(Method.SGD, POWERS[i], BATCHES);
      List<TunedRun> momentum = results.runs(Method.MOMENTUM, POWERS[i], BATCHES);
      List<TunedRun> fixed = results.runs(Method.MOMENTUM, HELD, POWERS[i], BATCHES, TARGET);
      addRows(table, POWERS[i], sgd, true);
      addRows(table, POWERS[i], momentum, true);
      addRows(table, POWERS[i], fixed, false);
      String power = Names.power(POWERS[i]) + ", ";
      Curve plain =
          Curve.dashed(power + "SGD", BATCHES, Runs.effectiveRates(sgd), Palette.category(i));
      double[] rates = Runs.effectiveRates(momentum);
      tuned.add(plain);
      tuned.add(Curve.solid(power + "momentum", BATCHES, rates, Palette.category(i)));
      held.add(plain);
      held.add(
          Curve.solid(
              power + "\u03b2 = 0.9", BATCHES, Runs.effectiveRates(fixed), Palette.category(i)));
      if (i == 0) {
        says =
            Names.format(
                "The best rate of SGD grows in proportion to the batch size (%.3g at B = 4) until it"
                    + " meets the limit of stability (%.3g at B = 2^20); momentum has the same"
                    + " effective rate up to there and then a larger one (%.3g).",
                plain.y()[0], plain.y()[BATCHES.length - 1], rates[BATCHES.length - 1]);
      }
    }
    Panel.Axis batch = Panel.Axis.log2("Batch size");
    Panel.Axis rate = Panel.Axis.log2("Effective learning rate").within(1.0 / (1 << 14), 1 << 7);
    return new Drawing(
        says,
        table,
        List.of(
            new Panel("(a) tuned momentum", batch, rate, Panel.Corner.SOUTH_EAST, tuned),
            new Panel("(b) momentum 0.9", batch, rate, Panel.Corner.SOUTH_EAST, held)));
  }

  private static void addRows(
      CsvTable table, double power, List<TunedRun> runs, boolean tunedDecay) {
    for (TunedRun run : runs) {
      table.row(
          Names.of(run.algorithm().method()),
          tunedDecay,
          power,
          run.batchSize(),
          run.algorithm().learningRate(),
          run.algorithm().decay(),
          run.algorithm().effectiveLearningRate());
    }
  }
}
