package io.github.kfac4j.nqm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

/** The list in the package's documentation: what the paper prints against the simulation. */
class PrintedFormulasTest {
  private static final double H = 0.5;
  private static final double C = 0.5;
  private static final double RATE = 0.8;
  private static final double X = RATE * H;
  private static final double N = RATE * RATE * C;
  private static final double BETA = 0.6;
  private static final double GAMMA = 0.7;
  private static final int STEPS = 4;

  private final NoisyQuadratic model =
      new NoisyQuadratic(Spectrum.of(new double[] {H}, new double[] {1}, new double[] {C}), 0, 1);
  private final Algorithm momentum = Algorithm.momentum(RATE, BETA);
  private final Algorithm average = Algorithm.ema(RATE, GAMMA);

  /** E theta^2 (or of the average) says what is printed; the simulation says otherwise. */
  private void assertRefuted(Algorithm algorithm, double printedMoment) {
    assertRefuted(algorithm, STEPS, printedMoment);
  }

  private void assertRefuted(Algorithm algorithm, int steps, double printedMoment) {
    MonteCarlo.Estimate estimate = MonteCarlo.risk(model, algorithm, steps, 400_000, 11);
    double tolerance = 4 * estimate.standardError();
    assertThat(model.risk(algorithm, steps)).isCloseTo(estimate.mean(), within(tolerance));
    assertThat(0.5 * H * printedMoment).isNotCloseTo(estimate.mean(), within(2 * tolerance));
  }

  private static double g(Algorithm algorithm, int k) {
    boolean heavyBall = algorithm.method() == Method.MOMENTUM;
    double sum = heavyBall ? 1 - X + BETA : 1 - X + GAMMA;
    double product = heavyBall ? BETA : (1 - X) * GAMMA;
    double previous = 0;
    double value = 1;
    for (int i = 1; i < k; i++) {
      double next = sum * value - product * previous;
      previous = value;
      value = next;
    }
    return k == 0 ? 0 : value;
  }

  private static double sumOfSquares(Algorithm algorithm, int last) {
    double sum = 0;
    for (int k = 1; k <= last; k++) {
      sum += g(algorithm, k) * g(algorithm, k);
    }
    return sum;
  }

  private static double square(double value) {
    return value * value;
  }

  @Test
  void equation4NeedsARateStrictlyBelowTwo() {
    Recursion recursion = new Recursion(model, Algorithm.sgd(2 / H));
    double first = recursion.risk();
    for (int t = 0; t < 1000; t++) {
      recursion.step();
    }
    assertThat(recursion.risk()).isGreaterThan(1000 * first);
    assertThat(model.isStable(Algorithm.sgd(2 / H))).isFalse();
  }

  @Test
  void equation9IsAnUpperBoundOnly() {
    double printed =
        square(g(momentum, STEPS + 1) - BETA * g(momentum, STEPS))
            + N * Method.MOMENTUM.steadyGain(X, BETA);
    assertThat(0.5 * H * printed)
        .isCloseTo(model.upperBound(momentum, STEPS), within(1e-12))
        .isGreaterThan(model.risk(momentum, STEPS));
    assertRefuted(momentum, printed);
  }

  @Test
  void equation10LeavesOutTheCriticallyDampedCoordinate() {
    double beta = 0.25;
    double rate = 0.25 / H; // beta = (1 - sqrt(alpha h))^2, all exact in binary
    double root = Math.sqrt(beta);
    double quotient = (Math.pow(root, 3) - Math.pow(root, 3)) / (root - root);
    assertThat(quotient).isNaN();
    Algorithm critical = Algorithm.momentum(rate, beta);
    MonteCarlo.Estimate estimate = MonteCarlo.risk(model, critical, STEPS, 100_000, 5);
    assertThat(model.risk(critical, STEPS))
        .isCloseTo(estimate.mean(), within(4 * estimate.standardError()));
  }

  @Test
  void equation18NeedsTheVarianceOfTheMomentum() {
    double a = 1;
    double cross = 0; // -alpha C(theta, m)
    double second = 0;
    for (int t = 0; t < STEPS; t++) {
      double meanOfMomentum = 0; // the start is symmetric
      double nextA = square(1 - X) * a + meanOfMomentum + 2 * (1 - X) * BETA * cross + N;
      double nextCross = -(1 - X) * X * a + square(BETA) * second + (1 - 2 * X) * BETA * cross + N;
      second = square(X) * a + square(BETA) * second - 2 * X * BETA * cross + N;
      a = nextA;
      cross = nextCross;
    }
    assertRefuted(momentum, a);
  }

  @Test
  void equations23And39SumToTheStepItself() {
    // after the first step the printed sum has two terms for one
    double decay = square(g(momentum, 2) - BETA);
    assertRefuted(momentum, 1, decay + N * sumOfSquares(momentum, 2));
    double ofAverage = square(g(average, 2) - (1 - X) * GAMMA);
    assertRefuted(average, 1, ofAverage + square(1 - GAMMA) * N * sumOfSquares(average, 2));
  }

  @Test
  void equations32And48StartAtRest() {
    // a recursion from x_{-1} = 0 would leave g_{t+1} alone
    assertRefuted(momentum, square(g(momentum, STEPS + 1)) + N * sumOfSquares(momentum, STEPS));
    assertRefuted(
        average,
        square(g(average, STEPS + 1)) + square(1 - GAMMA) * N * sumOfSquares(average, STEPS));
  }

  @Test
  void equation37HasTheWrongCovarianceFactor() {
    double a = 1;
    double cross = 1;
    double averaged = 1;
    for (int t = 0; t < STEPS; t++) {
      double nextA = square(1 - X) * a + N;
      averaged =
          square(GAMMA) * averaged
              + square(1 - GAMMA) * nextA
              + 2 * GAMMA * (1 - GAMMA) * (1 - X) * cross;
      cross = (1 - RATE * GAMMA) * cross + (1 - GAMMA) * nextA;
      a = nextA;
    }
    assertRefuted(average, averaged);
  }

  @Test
  void equation38HasAFactorTooMany() {
    double a = 1;
    double cross = 1 / (1 - GAMMA);
    double averaged = square(1 / (1 - GAMMA));
    for (int t = 0; t < STEPS; t++) {
      double nextA = square(1 - X) * a + N;
      averaged = nextA + square(GAMMA) * averaged + 2 * GAMMA * (1 - GAMMA) * (1 - X) * cross;
      cross = nextA + GAMMA * (1 - X) * cross;
      a = nextA;
    }
    assertRefuted(average, square(1 - GAMMA) * averaged);
  }

  @Test
  void equation43HasTheProductOfTheRootsForItsConstant() {
    double printed = square(g(average, STEPS + 1) - GAMMA * g(average, STEPS));
    assertRefuted(average, printed + square(1 - GAMMA) * N * sumOfSquares(average, STEPS));
  }

  @Test
  void criticalDampingIsAtTheSquareOfOneMinusTheRoot() {
    double x = 0.01;
    Algorithm critical = Algorithm.momentum(x, square(1 - Math.sqrt(x)));
    Algorithm printed = Algorithm.momentum(x, square(1 - x));
    NoisyQuadratic quiet =
        new NoisyQuadratic(Spectrum.of(new double[] {1}, new double[] {1}, new double[] {0}), 0, 1);
    // without noise the risk is what the start has left behind
    assertThat(MonteCarlo.risk(quiet, critical, 200, 1000, 1).mean())
        .isLessThan(1e-6 * MonteCarlo.risk(quiet, printed, 200, 1000, 1).mean());
    for (double beta : new double[] {0.7, 0.8, 0.82, 0.9, square(1 - x)}) {
      assertThat(critical.convergenceRate(1))
          .isGreaterThan(Algorithm.momentum(x, beta).convergenceRate(1));
    }
  }

  @Test
  void appendixF3LostTheInitialRate() {
    double initialRate = 0.1;
    double last = 0.05;
    double[] printed = new double[20];
    double[] scaled = new double[20];
    double moment = 1;
    for (int t = 0; t < 20; t++) {
      printed[t] = 1 - (1 - last) * t / 20;
      scaled[t] = initialRate * printed[t];
      moment = square(1 - scaled[t] * H) * moment + square(scaled[t]) * C;
    }
    ScheduleRisk risk = new ScheduleRisk(model);
    assertThat(risk.risk(new LearningRateSchedule(scaled, 1)))
        .isCloseTo(0.5 * H * moment, within(1e-12));
    assertThat(risk.risk(new LearningRateSchedule(printed, 1)))
        .isNotCloseTo(0.5 * H * moment, within(0.01));
  }
}
