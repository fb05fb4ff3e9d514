package io.github.kfac4j;

import static io.github.kfac4j.Networks.OPTIONS;
import static io.github.kfac4j.Networks.gaussian;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Offset.offset;

import io.github.kfac4j.approximation.KroneckerBases;
import io.github.kfac4j.backend.Basis;
import io.github.kfac4j.curvature.StateKey;
import io.github.kfac4j.data.Observation;
import io.github.kfac4j.layer.Dense;
import io.github.kfac4j.options.Approximation;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.testkit.Fixtures;
import io.github.kfac4j.testkit.Literal;
import io.github.kfac4j.testkit.LiteralBackend;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Bases of wide layers under EKFAC: reflections, renewed as long as they know the factor. */
class BasisRenewalTest {
  private static final int WIDE = 520;
  private static final int LEADING = 130;
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

  /** The vectors of a basis as columns. */
  private static double[] basis(Kfac kfac, StateKey key) {
    return LiteralBackend.columns(KroneckerBases.basis(kfac.state().layers().get("layer"), key), 0);
  }

  /** Its first r vectors as columns. */
  private static double[] leading(Kfac kfac, StateKey key, int n, int r) {
    double[] all = basis(kfac, key);
    double[] part = new double[n * r];
    Arrays.setAll(part, i -> all[i / r * n + i % r]);
    return part;
  }

  /** {@code q_i' A q_i} for each column. */
  private static double[] diagonal(double[] matrix, double[] q, int n) {
    int r = q.length / n;
    double[] left = Literal.multiply(matrix, q, n, n, r);
    double[] diagonal = new double[r];
    for (int i = 0; i < q.length; i++) {
      diagonal[i % r] += q[i] * left[i];
    }
    return diagonal;
  }

  /**
   * What the leading r moments are multiplied by, {@code [old, new]}: squares of the rotation,
   * columns weighted to sum to 1, times the factor's diagonal of now over what they make of the old
   * one.
   */
  private static double[] following(double[] factor, int n, double[] old, double[] now) {
    int r = old.length / n;
    double[] rotation = Literal.multiply(Literal.transpose(old, n, r), now, r, n, r);
    double[] before = diagonal(factor, old, n);
    double[] after = diagonal(factor, now, n);
    double[] weights = new double[r * r];
    for (int j = 0; j < r; j++) {
      double sum = 0;
      double carried = 0;
      for (int i = 0; i < r; i++) {
        double square = rotation[i * r + j] * rotation[i * r + j];
        sum += square;
        carried += square * before[i];
      }
      for (int i = 0; i < r; i++) {
        double square = rotation[i * r + j] * rotation[i * r + j];
        weights[i * r + j] = square / sum * after[j] / (carried / sum);
      }
    }
    return weights;
  }

  /** What is on the diagonal of {@code R' diag(m) R}, but for turns that are left out as small. */
  @Test
  void momentsFollowTheBasisWhenItTurns() {
    try (Kfac kfac = kfac()) {
      step(kfac, batch(64, 1));
      step(kfac, batch(64, 1));
      kfac.observe(List.of(batch(64, 1)));
      double[] oldA = leading(kfac, KroneckerBases.A_BASIS, WIDE, LEADING);
      double[] oldG = leading(kfac, KroneckerBases.G_BASIS, OUT, OUT);
      double[] before = matrix(kfac, KroneckerBases.MOMENTS);
      kfac.refresh();
      double[] a = kfac.state().inputFactor("layer");
      double[] g = kfac.state().outputFactor("layer");
      double[] nowA = leading(kfac, KroneckerBases.A_BASIS, WIDE, LEADING);
      double squares = Arrays.stream(diagonal(a, nowA, WIDE)).map(d -> d * d).sum();
      assertThat(1 - squares / Literal.dot(a, a)).isLessThan(0.01);
      double[] byA = following(a, WIDE, oldA, nowA);
      double[] byG = following(g, OUT, oldG, leading(kfac, KroneckerBases.G_BASIS, OUT, OUT));
      double[] columns = Literal.multiply(leading(before), byA, OUT, LEADING, LEADING);
      double[] followed =
          Literal.multiply(Literal.transpose(byG, OUT, OUT), columns, OUT, OUT, LEADING);
      double[] moments = leading(matrix(kfac, KroneckerBases.MOMENTS));
      double unturned = Fixtures.frobeniusError(leading(before), followed);
      assertThat(unturned).isGreaterThan(1e-3);
      assertThat(Fixtures.frobeniusError(moments, followed)).isLessThan(0.2 * unturned);
    }
  }

  private static double[] leading(double[] moments) {
    double[] part = new double[OUT * LEADING];
    Arrays.setAll(part, i -> moments[i / LEADING * WIDE + i % LEADING]);
    return part;
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
            if (i % WIDE == 0) { // the largest eigenvalue of A
              assertThat(moments[i] / measured[i]).isBetween(0.5, 2.0);
            } else if (i % WIDE != 1) { // the direction of before
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
    double[] a = basis(kfac, KroneckerBases.A_BASIS);
    double[] g = basis(kfac, KroneckerBases.G_BASIS);
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
      step(kfac, batch(1100, 0));
      step(kfac, batch(1100, 0));
      kfac.observe(List.of(batch(1100, 0)));
      kfac.refresh();
      double[] factor = kfac.state().inputFactor("layer");
      double[] q = basis(kfac, KroneckerBases.A_BASIS);
      double[] left = Literal.multiply(Literal.transpose(q, WIDE, WIDE), factor, WIDE, WIDE, WIDE);
      for (int j = 0; j < WIDE; j += 40) {
        double[] column = new double[WIDE];
        for (int i = 0; i < WIDE; i++) {
          column[i] = q[i * WIDE + j];
        }
        double[] inBasis = Literal.multiply(left, column, WIDE, WIDE, 1);
        inBasis[j] = 0;
        assertThat(inBasis).containsExactly(new double[WIDE], offset(1e-9));
      }
      double sum = Arrays.stream(matrix(kfac, KroneckerBases.MOMENTS)).sum();
      double product =
          Literal.trace(factor, WIDE) * Literal.trace(kfac.state().outputFactor("layer"), OUT);
      assertThat(sum / product).isCloseTo(1, offset(1e-9)); // they begin again
    }
  }

  /** A mean carries nearly all squares; of the rest more varies than there are leading vectors. */
  @Test
  void aFactorWithMoreThanTheDampingBeyondTheLeadingVectorsIsDecomposed() {
    for (double damping : new double[] {1e-3, 1e3}) {
      try (Kfac kfac = Networks.kfac(new Dense(WIDE, OUT, false), EKFAC.withDamping(damping))) {
        for (int step = 0; step < 4; step++) {
          double[] inputs = gaussian(random, 400 * WIDE);
          Arrays.setAll(inputs, i -> 2.5 + (i % WIDE < 300 ? inputs[i] : 0));
          step(
              kfac,
              Networks.observation(
                  HostTensor.of(inputs, 400, WIDE),
                  HostTensor.of(gaussian(random, 400 * OUT), 400, OUT)));
        }
        Basis basis =
            KroneckerBases.basis(kfac.state().layers().get("layer"), KroneckerBases.A_BASIS);
        assertThat(basis.isReflected()).isEqualTo(damping > 1);
      }
    }
  }

  /** Half of each batch has nearly all of its size, and always the same half. */
  @Test
  void momentsOfAnOrderedBatchAreThoseOfAllExamples() {
    for (boolean lastIsLarge : new boolean[] {true, false}) {
      try (Kfac kfac = kfac()) {
        for (int step = 0; step < 12; step++) {
          double[] inputs = gaussian(random, 256 * WIDE);
          Arrays.setAll(
              inputs,
              i ->
                  (i / WIDE >= 128) == lastIsLarge ? inputs[i] / (1 + i % WIDE) : 0.01 * inputs[i]);
          step(
              kfac,
              Networks.observation(
                  HostTensor.of(inputs, 256, WIDE),
                  HostTensor.of(gaussian(random, 256 * OUT), 256, OUT)));
        }
        double sum = Arrays.stream(matrix(kfac, KroneckerBases.MOMENTS)).sum();
        double product =
            Literal.trace(kfac.state().inputFactor("layer"), WIDE)
                * Literal.trace(kfac.state().outputFactor("layer"), OUT);
        assertThat(sum / product).isBetween(0.5, 2.0);
      }
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
