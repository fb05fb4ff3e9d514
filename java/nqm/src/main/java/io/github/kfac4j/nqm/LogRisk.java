package io.github.kfac4j.nqm;

import org.ddogleg.optimization.FactoryOptimization;
import org.ddogleg.optimization.UnconstrainedMinimization;
import org.ddogleg.optimization.functions.FunctionNtoN;
import org.ddogleg.optimization.functions.FunctionNtoS;

/** The logarithm of a schedule's risk over unbounded variables, and its minimisation. */
record LogRisk(ScheduleRisk risk, RateMap map, double limit, int pieces, long stepsPerPiece)
    implements FunctionNtoS, FunctionNtoN {
  private static final int MAX_ITERATIONS = 2000;

  /** The learning rates of a local minimum near these. */
  double[] minimize(double[] startingRates) {
    double[] start = new double[pieces];
    for (int j = 0; j < pieces; j++) {
      start[j] = map.variable(startingRates[j] / limit);
    }
    UnconstrainedMinimization search = FactoryOptimization.quasiNewtonBfgs(null);
    search.setFunction(this, this, Double.NEGATIVE_INFINITY);
    search.initialize(start, 1e-12, 1e-9);
    int iteration = 0;
    while (iteration < MAX_ITERATIONS && !search.iterate()) {
      iteration++;
    }
    return rates(search.getParameters());
  }

  private double[] rates(double[] u) {
    double[] rates = new double[pieces];
    for (int j = 0; j < pieces; j++) {
      // a piece may be switched off; the floor keeps it a rate
      rates[j] = Math.max(limit * map.rate(u[j]), Double.MIN_NORMAL);
    }
    return rates;
  }

  @Override
  public int getN() {
    return pieces;
  }

  @Override
  public int getNumOfInputsN() {
    return pieces;
  }

  @Override
  public double process(double[] u) {
    return Math.log(risk.evaluate(rates(u), stepsPerPiece, null));
  }

  @Override
  public void process(double[] u, double[] gradient) {
    risk.evaluate(rates(u), stepsPerPiece, gradient);
    for (int j = 0; j < pieces; j++) {
      gradient[j] *= map.logSlope(u[j]);
    }
  }
}
