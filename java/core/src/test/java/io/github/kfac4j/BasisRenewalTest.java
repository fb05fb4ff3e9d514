package io.github.kfac4j;

import static io.github.kfac4j.Networks.OPTIONS;
import static io.github.kfac4j.Networks.gaussian;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Offset.offset;

import io.github.kfac4j.curvature.KroneckerBases;
import io.github.kfac4j.curvature.StateKey;
import io.github.kfac4j.data.Observation;
import io.github.kfac4j.layer.Dense;
import io.github.kfac4j.options.Approximation;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.testkit.Fixtures;
import io.github.kfac4j.testkit.Literal;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Bases of wide layers under EKFAC: renewed where a factor has changed a little. */
class BasisRenewalTest {
  private static final int WIDE = 280;
  private static final int OUT = 2;
  private static final KfacOptions EKFAC =
      OPTIONS.withApproximation(Approximation.EKFAC).withDecay(0.7).withIntervals(1, 2);

  private final Random random = new Random(5);

  /** Inputs whose variance falls with the coordinate, as far as {@code power} says. */
  private Observation batch(int examples, double power) {
    double[] inputs = gaussian(random, examples * WIDE);
    Arrays.setAll(inputs, i -> inputs[i] * Math.pow(1 + i % WIDE, -power));
    return Networks.observation(
        HostTensor.of(inputs, examples, WIDE),
        HostTensor.of(gaussian(random, examples * OUT), examples, OUT));
  }

  private static Kfac kfac() {
    return Networks.kfac(new Dense(WIDE, OUT, false), EKFAC);
  }

  private static double[] matrix(Kfac kfac, StateKey key) {
    return kfac.state().layers().get("layer").stack(key).toArray();
  }

  private static void step(Kfac kfac, Observation batch) {
    kfac.observe(List.of(batch));
    if (kfac.wantsRefresh()) {
      kfac.refresh();
    }
    Networks.step(kfac, "layer", new double[WIDE * OUT]);
  }

  private static double[] turned(double[] matrix, double[] basis) {
    return turned(matrix, basis, WIDE);
  }

  private static double[] turned(double[] matrix, double[] basis, int n) {
    double[] left = Literal.multiply(Literal.transpose(basis, n, n), matrix, n, n, n);
    return Literal.multiply(left, basis, n, n, n);
  }

  /** A factor's diagonal in a new basis over what the squares of the turn make of the old one. */
  private static double[] gathered(
      double[] factor, int n, double[] old, double[] basis, double[] squares) {
    double[] before = turned(factor, old, n);
    double[] now = turned(factor, basis, n);
    double[] ratio = new double[n];
    for (int j = 0; j < n; j++) {
      double carried = 0;
      for (int i = 0; i < n; i++) {
        carried += squares[i * n + j] * before[i * (n + 1)];
      }
      ratio[j] = now[j * (n + 1)] / carried;
    }
    return ratio;
  }

  /** What is on the diagonal of {@code R' diag(m) R}, but for turns that are left out as small. */
  @Test
  void momentsFollowTheBasisWhenItTurns() {
    try (Kfac kfac = kfac()) {
      step(kfac, batch(64, 1));
      step(kfac, batch(64, 1));
      kfac.observe(List.of(batch(64, 1)));
      double[] oldA = matrix(kfac, KroneckerBases.A_BASIS);
      double[] oldG = matrix(kfac, KroneckerBases.G_BASIS);
      double[] before = matrix(kfac, KroneckerBases.MOMENTS);
      kfac.refresh();
      double[] basis = matrix(kfac, KroneckerBases.A_BASIS);
      double[] onDiagonal = turned(kfac.state().inputFactor("layer"), basis);
      double beyond = 0;
      for (int i = 0; i < onDiagonal.length; i++) {
        beyond += i % (WIDE + 1) == 0 ? 0 : onDiagonal[i] * onDiagonal[i];
      }
      assertThat(beyond).isLessThan(0.01 * Literal.dot(onDiagonal, onDiagonal));
      double[] turn =
          Literal.multiply(Literal.transpose(oldA, WIDE, WIDE), basis, WIDE, WIDE, WIDE);
      double[] turnG =
          Literal.multiply(
              Literal.transpose(oldG, OUT, OUT),
              matrix(kfac, KroneckerBases.G_BASIS),
              OUT,
              OUT,
              OUT);
      Arrays.setAll(turn, i -> turn[i] * turn[i]);
      Arrays.setAll(turnG, i -> turnG[i] * turnG[i]);
      double[] followed =
          Literal.multiply(
              Literal.transpose(turnG, OUT, OUT),
              Literal.multiply(before, turn, OUT, WIDE, WIDE),
              OUT,
              OUT,
              WIDE);
      double[] gathered = gathered(kfac.state().inputFactor("layer"), WIDE, oldA, basis, turn);
      double[] gatheredG =
          gathered(
              kfac.state().outputFactor("layer"),
              OUT,
              oldG,
              matrix(kfac, KroneckerBases.G_BASIS),
              turnG);
      Arrays.setAll(followed, i -> followed[i] * gatheredG[i / WIDE] * gathered[i % WIDE]);
      double[] moments = matrix(kfac, KroneckerBases.MOMENTS);
      double unturned = Fixtures.frobeniusError(before, followed);
      assertThat(unturned).isGreaterThan(1e-3);
      assertThat(Fixtures.frobeniusError(moments, followed)).isLessThan(0.2 * unturned);
    }
  }

  /** A direction that no input had becomes the one that all have, ten times as large. */
  @Test
  void momentsFollowDataThatChangeAtOnce() {
    double[][] directions = {gaussian(random, WIDE), gaussian(random, WIDE)};
    List<double[]> inputs = new ArrayList<>();
    List<double[]> gradients = new ArrayList<>();
    try (Kfac kfac = kfac()) {
      for (int step = 0; step < 20; step++) {
        int now = step < 8 ? 0 : 1;
        double[] size = gaussian(random, 8);
        double[] a = gaussian(random, 8 * WIDE);
        Arrays.setAll(
            a,
            i ->
                0.1 * a[i]
                    + (now == 0 ? 0.06 : 0.6) * (2 + size[i / WIDE]) * directions[now][i % WIDE]);
        double[] g = gaussian(random, 8 * OUT);
        inputs.add(a);
        gradients.add(g);
        boolean refreshes = kfac.wantsRefresh();
        step(kfac, Networks.observation(HostTensor.of(a, 8, WIDE), HostTensor.of(g, 8, OUT)));
        if (refreshes && step > 8) {
          double[] measured = measured(kfac, inputs, gradients);
          double[] moments = matrix(kfac, KroneckerBases.MOMENTS);
          double rest = 0;
          double restMeasured = 0;
          for (int i = 0; i < moments.length; i++) {
            if (i % WIDE == WIDE - 1) { // the largest eigenvalue of A
              assertThat(moments[i] / measured[i]).isBetween(0.5, 2.0);
            } else if (i % WIDE != WIDE - 2) { // the direction of before
              rest += moments[i];
              restMeasured += measured[i];
            }
          }
          assertThat(rest / restMeasured).isBetween(0.5, 2.0);
        }
      }
    }
  }

  /** The moments that all batches so far give in the basis of now. */
  private static double[] measured(Kfac kfac, List<double[]> inputs, List<double[]> gradients) {
    double[] a = matrix(kfac, KroneckerBases.A_BASIS);
    double[] g = matrix(kfac, KroneckerBases.G_BASIS);
    double[] sum = new double[OUT * WIDE];
    double weights = 0;
    for (int batch = 0; batch < inputs.size(); batch++) {
      double weight = Math.pow(EKFAC.decay(), inputs.size() - 1 - batch);
      double[] x = Literal.multiply(inputs.get(batch), a, 8, WIDE, WIDE);
      double[] y = Literal.multiply(gradients.get(batch), g, 8, OUT, OUT);
      for (int i = 0; i < 8 * OUT * WIDE; i++) {
        int example = i / (OUT * WIDE);
        int at = i % (OUT * WIDE);
        double product = y[example * OUT + at / WIDE] * x[example * WIDE + at % WIDE];
        sum[at] += weight * product * product / 8;
      }
      weights += weight;
    }
    double all = weights;
    Arrays.setAll(sum, i -> sum[i] / all);
    return sum;
  }

  /** Of a flat spectrum too much lies beyond the leading vectors to be known. */
  @Test
  void aFactorOfWhichTooLittleIsKnownIsDecomposed() {
    try (Kfac kfac = kfac()) {
      step(kfac, batch(600, 0));
      step(kfac, batch(600, 0));
      kfac.observe(List.of(batch(600, 0)));
      kfac.refresh();
      double[] factor = kfac.state().inputFactor("layer");
      double[] diagonal = turned(factor, matrix(kfac, KroneckerBases.A_BASIS));
      for (int i = 0; i < diagonal.length; i++) {
        double expected = i % (WIDE + 1) == 0 ? diagonal[i] : 0;
        assertThat(diagonal[i]).isCloseTo(expected, offset(1e-9));
      }
      double sum = Arrays.stream(matrix(kfac, KroneckerBases.MOMENTS)).sum();
      double product =
          Literal.trace(factor, WIDE) * Literal.trace(kfac.state().outputFactor("layer"), OUT);
      assertThat(sum / product).isCloseTo(1, offset(1e-9)); // they begin again
    }
  }

  @Test
  void aStateContinuesBitByBitAndADroppedStepLeavesNoTrace() {
    try (Kfac kfac = kfac();
        Kfac other = kfac()) {
      step(kfac, batch(32, 1));
      step(kfac, batch(32, 1));
      other.restore(kfac.toTensors());
      Observation dropped = batch(32, 0.5);
      other.observe(List.of(dropped));
      other.refresh();
      other.discardStep();
      for (int i = 0; i < 3; i++) {
        Observation next = batch(32, 1);
        step(kfac, next);
        step(other, next);
      }
      for (StateKey key : List.of(KroneckerBases.A_BASIS, KroneckerBases.MOMENTS)) {
        assertThat(matrix(other, key)).containsExactly(matrix(kfac, key));
      }
    }
  }
}
