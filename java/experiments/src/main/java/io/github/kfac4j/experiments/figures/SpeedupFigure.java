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
 * Figures 3a and 4: steps to the target against batch size, SGD dashed and another method solid.
 */
final class SpeedupFigure implements Figure {
  private static final double[] BATCHES = Results.powersOfTwo(2, 20, 2);

  private final String id;
  private final Method method;
  private final String name;

  private SpeedupFigure(String id, Method method, String name) {
    this.id = id;
    this.method = method;
    this.name = name;
  }

  static SpeedupFigure momentum() {
    return new SpeedupFigure("3a", Method.MOMENTUM, "momentum");
  }

  static SpeedupFigure average() {
    return new SpeedupFigure("4", Method.EMA, "averaging");
  }

  @Override
  public String id() {
    return id;
  }

  @Override
  public String title() {
    return method == Method.MOMENTUM
        ? "Momentum and preconditioning"
        : "Exponential moving average of the iterates";
  }

  @Override
  public int work() {
    return 2 * POWERS.length * BATCHES.length;
  }

  @Override
  public Drawing draw(Results results) {
    CsvTable table =
        new CsvTable("method", "power", "batch", "steps", "learning_rate", "decay", "bound");
    double[] bounds = results.bounds(BATCHES, TARGET);
    List<Curve> curves = new ArrayList<>();
    List<List<TunedRun>> sgd = new ArrayList<>();
    List<List<TunedRun>> other = new ArrayList<>();
    for (int i = 0; i < POWERS.length; i++) {
      List<TunedRun> plain = results.runs(Method.SGD, POWERS[i], BATCHES);
      List<TunedRun> runs = results.runs(method, POWERS[i], BATCHES);
      String power = Names.power(POWERS[i]) + ", ";
      curves.add(Curve.dashed(power + "SGD", BATCHES, Runs.steps(plain), Palette.category(i)));
      curves.add(Curve.solid(power + name, BATCHES, Runs.steps(runs), Palette.category(i)));
      addRows(table, POWERS[i], plain, bounds);
      addRows(table, POWERS[i], runs, bounds);
      sgd.add(plain);
      other.add(runs);
    }
    curves.add(Curve.bound(BATCHES, bounds));
    Panel panel =
        new Panel(
            "",
            Panel.Axis.log2("Batch size"),
            Panel.Axis.log2("Steps to target").within(1, 1 << 21),
            Panel.Corner.NORTH_EAST,
            curves);
    return new Drawing(says(sgd, other), table, List.of(panel));
  }

  private static void addRows(CsvTable table, double power, List<TunedRun> runs, double[] bounds) {
    for (int i = 0; i < runs.size(); i++) {
      TunedRun run = runs.get(i);
      table.row(
          Names.of(run.algorithm().method()),
          power,
          run.batchSize(),
          run.steps(),
          run.algorithm().learningRate(),
          run.algorithm().decay(),
          bounds[i]);
    }
  }

  private String says(List<List<TunedRun>> sgd, List<List<TunedRun>> other) {
    int last = BATCHES.length - 1;
    double small = ratio(sgd.get(0).get(0), other.get(0).get(0));
    double large = ratio(sgd.get(0).get(last), other.get(0).get(last));
    if (method == Method.EMA) {
      return Names.format(
          "Averaging saves steps with small batches (%.1f times fewer at B = 4 without"
              + " preconditioning) and none with large ones (%.2f at B = 2^20), so that it lowers"
              + " the critical batch size.",
          small, large);
    }
    return Names.format(
        "Momentum hardly helps with small batches (%.1f times fewer steps at B = 4) and much with"
            + " large ones (%.0f times at B = 2^20), while preconditioning helps with both: with"
            + " p = 0.75, SGD needs %.1f times fewer steps at B = 4.",
        small, large, ratio(sgd.get(0).get(0), sgd.get(3).get(0)));
  }

  private static double ratio(TunedRun a, TunedRun b) {
    return (double) a.steps() / b.steps();
  }
}
