package io.github.kfac4j.experiments.figures;

import io.github.kfac4j.experiments.plot.Curve;
import io.github.kfac4j.experiments.plot.Palette;
import io.github.kfac4j.experiments.plot.Panel;
import io.github.kfac4j.nqm.Algorithm;
import java.awt.Color;
import java.util.ArrayList;
import java.util.List;

/**
 * Figure 11: the first term of Theorem 1 for momentum and for SGD with the effective learning rate,
 * after several numbers of steps; alpha h = 0.0005.
 */
final class FirstTermFigure implements Figure {
  private static final double X = 5e-4;
  private static final int POINTS = 201;
  private static final int[] STEPS = {50, 100, 200, 500, 1000, 2000};

  @Override
  public String id() {
    return "11";
  }

  @Override
  public String title() {
    return "What is left of the initial risk";
  }

  @Override
  public int work() {
    return 0;
  }

  @Override
  public Drawing draw(Results results) {
    CsvTable table =
        new CsvTable("steps", "one_minus_beta", "momentum_first_term", "sgd_first_term");
    List<Panel> panels = new ArrayList<>();
    double[] largest = new double[STEPS.length];
    for (int i = 0; i < STEPS.length; i++) {
      double[] damping = new double[POINTS];
      double[] momentum = new double[POINTS];
      double[] plain = new double[POINTS];
      for (int j = 0; j < POINTS; j++) {
        damping[j] = Math.pow(2, -5 + 5.0 * j / (POINTS - 1));
        Algorithm heavyBall = Algorithm.momentum(X, 1 - damping[j]);
        Algorithm sgd = Algorithm.sgd(heavyBall.effectiveLearningRate());
        momentum[j] = heavyBall.initialShare(1, STEPS[i]);
        plain[j] = sgd.initialShare(1, STEPS[i]);
        largest[i] = Math.max(largest[i], Math.abs(momentum[j] - plain[j]));
        table.row(STEPS[i], damping[j], momentum[j], plain[j]);
      }
      panels.add(
          new Panel(
              "t = " + STEPS[i],
              Panel.Axis.log2("1 \u2212 \u03b2"),
              Panel.Axis.linear("First term").within(0, 1),
              i == 0 ? Panel.Corner.SOUTH_EAST : null,
              List.of(
                  Curve.solid("momentum", damping, momentum, Palette.category(0)),
                  Curve.dashed("SGD, effective rate", damping, plain, Color.BLACK))));
    }
    return new Drawing(
        Names.format(
            "Momentum forgets the start like SGD with the effective rate: the two differ by at most"
                + " %.2f after 50 steps and %.3f after 500.",
            largest[0], largest[3]),
        table,
        panels);
  }
}
