package io.github.kfac4j.experiments.figures;

import io.github.kfac4j.experiments.plot.Curve;
import io.github.kfac4j.experiments.plot.Palette;
import io.github.kfac4j.experiments.plot.Panel;
import io.github.kfac4j.nqm.Algorithm;
import io.github.kfac4j.nqm.NoisyQuadratic;
import io.github.kfac4j.nqm.Spectrum;
import java.awt.Color;
import java.util.List;

/**
 * Figure 2: convergence rate and steady-state risk of one coordinate against the damping 1 - beta,
 * for momentum and for SGD with the effective learning rate; alpha h = 0.0005, B = 1.
 */
final class DampingFigure implements Figure {
  private static final double X = 5e-4;
  private static final int POINTS = 241;

  @Override
  public String id() {
    return "2";
  }

  @Override
  public String title() {
    return "Convergence rate and steady-state risk under momentum";
  }

  @Override
  public int work() {
    return 0;
  }

  @Override
  public Drawing draw(Results results) {
    NoisyQuadratic model = new NoisyQuadratic(Spectrum.of(1), 0, 1);
    double[] damping = new double[POINTS];
    double[][] rate = new double[2][POINTS];
    double[][] risk = new double[2][POINTS];
    CsvTable table =
        new CsvTable(
            "one_minus_beta",
            "momentum_convergence_rate",
            "sgd_convergence_rate",
            "momentum_steady_risk",
            "sgd_steady_risk");
    for (int i = 0; i < POINTS; i++) {
      damping[i] = Math.pow(10, -3 + 3.0 * i / (POINTS - 1));
      Algorithm heavyBall = Algorithm.momentum(X, 1 - damping[i]);
      Algorithm sgd = Algorithm.sgd(heavyBall.effectiveLearningRate());
      rate[0][i] = heavyBall.convergenceRate(1);
      rate[1][i] = sgd.convergenceRate(1);
      risk[0][i] = model.steadyRisk(heavyBall);
      risk[1][i] = model.steadyRisk(sgd);
      table.row(damping[i], rate[0][i], rate[1][i], risk[0][i], risk[1][i]);
    }
    Panel.Axis axis = Panel.Axis.log2("1 \u2212 \u03b2");
    return new Drawing(
        Names.format(
            "At equal effective rate \u03b1/(1 \u2212 \u03b2), momentum converges like SGD while it"
                + " is overdamped, fastest at critical damping (1 \u2212 \u03b2 = %.3f), and ever"
                + " slower below it, where its steady-state risk is a little lower than SGD's.",
            1 - Math.pow(1 - Math.sqrt(X), 2)),
        table,
        List.of(
            panel("Convergence rate 1 \u2212 |r\u2081|", axis, damping, rate),
            panel("Steady-state risk", axis, damping, risk)));
  }

  private static Panel panel(String label, Panel.Axis axis, double[] x, double[][] y) {
    return new Panel(
        "",
        axis,
        Panel.Axis.log2(label),
        Panel.Corner.NORTH_EAST,
        List.of(
            Curve.dashed("SGD, effective rate", x, y[1], Color.BLACK),
            Curve.solid("momentum", x, y[0], Palette.category(0))));
  }
}
