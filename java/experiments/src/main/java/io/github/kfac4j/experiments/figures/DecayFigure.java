package io.github.kfac4j.experiments.figures;

import io.github.kfac4j.experiments.plot.Curve;
import io.github.kfac4j.experiments.plot.Palette;
import io.github.kfac4j.experiments.plot.Panel;
import io.github.kfac4j.nqm.Algorithm;
import io.github.kfac4j.nqm.NoisyQuadratic;
import io.github.kfac4j.nqm.Spectrum;
import java.util.ArrayList;
import java.util.List;

/**
 * Figure 1, a cartoon in the paper: the risk of coordinates of high and low curvature under SGD,
 * with a constant learning rate and with one that falls to a tenth. Curvatures 1, 0.1 and 0.01,
 * learning rate 0.5, batch 1, the decay after 200 steps.
 */
final class DecayFigure implements Figure {
  private static final double[] CURVATURES = {1, 0.1, 0.01};
  private static final double RATE = 0.5;
  private static final double DECAYED = 0.05;
  private static final int DECAY_AT = 200;
  private static final int STEPS = 400;

  @Override
  public String id() {
    return "1";
  }

  @Override
  public String title() {
    return "Risk by coordinate, with and without decay of the learning rate";
  }

  @Override
  public int work() {
    return 0;
  }

  @Override
  public Drawing draw(Results results) {
    CsvTable table = new CsvTable("curvature", "step", "constant_risk", "decayed_risk");
    List<Curve> curves = new ArrayList<>();
    double gain = 0;
    for (int i = 0; i < CURVATURES.length; i++) {
      double[] x = new double[STEPS + 1];
      double[] constant = new double[STEPS + 1];
      double[] decayed = new double[STEPS + 1];
      for (int step = 0; step <= STEPS; step++) {
        x[step] = step;
        constant[step] = risk(CURVATURES[i], 1, RATE, step);
        double before = risk(CURVATURES[i], 1, RATE, Math.min(step, DECAY_AT));
        decayed[step] =
            step <= DECAY_AT
                ? before
                : risk(CURVATURES[i], 2 * before / CURVATURES[i], DECAYED, step - DECAY_AT);
        table.row(CURVATURES[i], step, constant[step], decayed[step]);
      }
      gain = i == 0 ? constant[STEPS] / decayed[STEPS] : gain;
      String name = "h = " + Names.format("%.2f", CURVATURES[i]);
      curves.add(Curve.solid(name, x, constant, Palette.category(i)));
      curves.add(Curve.dashed(name + ", decayed", x, decayed, Palette.category(i)));
    }
    Panel panel =
        new Panel(
            "",
            Panel.Axis.linear("steps"),
            Panel.Axis.log2("risk of the coordinate"),
            Panel.Corner.SOUTH_WEST,
            curves);
    return new Drawing(
        Names.format(
            "High curvature is soon limited by noise, where decay helps (%.1f times less risk at the"
                + " end), low curvature by progress, which decay slows down.",
            gain),
        table,
        List.of(panel));
  }

  private static double risk(double curvature, double start, double rate, int steps) {
    Spectrum one = Spectrum.of(curvature).withInitialVariance(start);
    return new NoisyQuadratic(one, 0, 1).risk(Algorithm.sgd(rate), steps);
  }
}
