package io.github.kfac4j.testkit.junit;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.kfac4j.Kfac;
import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.data.InversionFailedException;
import io.github.kfac4j.data.LayerGradient;
import io.github.kfac4j.data.LayerReport.GroupReport;
import io.github.kfac4j.data.Observation;
import io.github.kfac4j.data.Share;
import io.github.kfac4j.layer.Conv1d;
import io.github.kfac4j.layer.Dense;
import io.github.kfac4j.layer.Layer;
import io.github.kfac4j.options.Approximation;
import io.github.kfac4j.options.DampingMode;
import io.github.kfac4j.options.InversePolicy;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.reference.JavaBackend;
import io.github.kfac4j.safetensors.StoredTensor;
import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.testkit.Fixtures;
import io.github.kfac4j.testkit.attack.RequestAttack;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Requests of any kind, and what such requests have found: averages and inverses that change their
 * size by more than fp32 has room for. A backend's module extends this class.
 */
public abstract class AttackContract {
  private static final Layer LAYER = new Dense(2, 2, false);
  private static final KfacOptions OPTIONS =
      KfacOptions.DEFAULT.withoutKlClip().withIntervals(1, 1).withDecay(0.5);

  /** Opens the backend under test. */
  protected abstract Backend open();

  /** Random requests for a test of about a second. */
  protected int requests() {
    return 3000;
  }

  @Test
  void requestsOfAnyKindAreRightOrRefused() {
    try (Backend backend = open();
        RequestAttack attack = new RequestAttack(backend)) {
      attack.run(requests());
    }
  }

  @Test
  void inversesThatAreKeptStayWhatTheyWereBesideFactorsOfAnotherSize() {
    // factors of rank one, of size 1 and 1e34: no damping near 1e-10 makes them definite
    Observation singular = observed(1, 1, 1, 1, 1e17, 1e17, 1e17, 1e17);
    keeps(LAYER, observed(0.01, 0, 0, 0.01, 0.01, 0, 0, 0.01), singular);
  }

  /** Only the factors of the second group are singular. */
  @Test
  void inversesOfAllGroupsAreKeptWhereThoseOfOneAre() {
    Layer groups = new Conv1d(4, 4, Conv1d.window(1, 1, 0, 1), 2, false);
    double[] grads = {1e17, 0, 1e17, 1e17, 0, 1e17, 1e17, 1e17};
    Observation good = images(new double[] {.01, 0, .01, 0, 0, .01, 0, .01}, 0.01);
    Observation bad =
        Observation.ofSumLoss(
            "fc",
            Fixtures.direct(new double[] {1, 0, 1, 1, 0, 1, 1, 1}, 2, 4, 1),
            Fixtures.direct(grads, 2, 4, 1));
    keeps(groups, good, bad);
  }

  /** The damping of a group whose inputs are small has no room beside that of one with none. */
  @ParameterizedTest
  @EnumSource(InversePolicy.Method.class)
  void inversesOfGroupsOfEverySizeAreFinite(InversePolicy.Method method) {
    Layer groups = new Conv1d(4, 4, Conv1d.window(1, 1, 0, 1), 2, false);
    KfacOptions options =
        OPTIONS
            .withDecay(0)
            .withDamping(1e-2)
            .withInversePolicy(InversePolicy.DEFAULT.withMethod(method));
    for (double small = 1; small > 1e-44; small /= 1e4) {
      double[] x = {0, 0, small, small, 0, 0, small, -small};
      Observation ordinary = images(new double[] {1, 0, .1, 0, 0, 1, 0, .1}, 0.01);
      Observation uneven =
          Observation.ofSumLoss(
              "fc",
              Fixtures.direct(x, 2, 4, 1),
              Fixtures.direct(new double[] {1, 0, 1, 1, 0, 1, 1, -1}, 2, 4, 1));
      try (Backend backend = open();
          Kfac kfac = new Kfac(backend, Map.of("fc", groups), options)) {
        for (Observation batch : List.of(ordinary, uneven)) {
          kfac.observe(List.of(batch));
          kfac.refresh();
          assertThat(kfac.toTensors()).allSatisfy((name, tensor) -> requireFinite(tensor));
        }
      }
    }
  }

  private static Observation images(double[] x, double size) {
    double[] g = x.clone();
    for (int i = 0; i < g.length; i++) {
      g[i] *= size / 0.01;
    }
    return Observation.ofSumLoss("fc", Fixtures.direct(x, 2, 4, 1), Fixtures.direct(g, 2, 4, 1));
  }

  private void keeps(Layer layer, Observation good, Observation singular) {
    try (Backend backend = open();
        Kfac kfac =
            new Kfac(backend, Map.of("fc", layer), OPTIONS.withDecay(0).withDamping(1e-10))) {
      kfac.observe(List.of(good));
      kfac.refresh();
      kfac.endStep();
      Map<String, StoredTensor> before = kfac.toTensors();
      kfac.observe(List.of(singular));
      List<GroupReport> groups = kfac.refresh().get(0).perGroup();
      assertThat(groups.toString()).contains("last good inverse kept");
      Map<String, StoredTensor> after = kfac.toTensors();
      for (int f = 0; f < 2; f++) {
        int factor = f;
        if (groups.stream().allMatch(g -> Double.isNaN(g.factors().get(factor).condition()))) {
          String name = "fc." + groups.get(0).factors().get(f).name() + "_inverse";
          assertThat(after.get(name)).as(name).isEqualTo(before.get(name));
        }
      }
      assertThat(after).allSatisfy((name, tensor) -> requireFinite(tensor));
      for (double value : step(kfac, layer)) {
        assertThat(value).isFinite();
      }
    }
  }

  private static void requireFinite(StoredTensor tensor) {
    if (tensor.isNumeric()) {
      for (double value : tensor.toDoubles()) {
        assertThat(value).isFinite();
      }
    }
  }

  private static double[] step(Kfac kfac, Layer layer) {
    double[] ones = new double[(int) layer.weightShape().size()];
    Arrays.fill(ones, 1);
    int[] shape = new int[layer.weightShape().rank()];
    Arrays.setAll(shape, layer.weightShape()::get);
    HostTensor gradient = Fixtures.direct(ones, shape);
    kfac.preview(List.of(new LayerGradient("fc", gradient, null)));
    return gradient.toArray();
  }

  @ParameterizedTest
  @EnumSource(
      value = Approximation.class,
      names = {"KRONECKER", "EKFAC", "DIAGONAL"})
  void averagesThatHaveBecomeSmallAreRestoredToTheBit(Approximation approximation) {
    KfacOptions options = OPTIONS.withDamping(1e-30).withApproximation(approximation);
    Observation small = observed(1, 2, 3, 5, 1e-13, 2e-13, -1e-13, 1e-13);
    Observation nothing = observed(1, 2, 3, 5, 0, 0, 0, 0);
    try (Backend backend = open();
        Kfac kfac = new Kfac(backend, Map.of("fc", LAYER), options);
        Kfac other = new Kfac(backend, Map.of("fc", LAYER), options)) {
      kfac.observe(List.of(small));
      for (int i = 0; i < 8; i++) { // from 1e-26 to 4e-29
        kfac.observe(List.of(nothing));
      }
      other.restore(kfac.toTensors());
      assertThat(other.toTensors()).isEqualTo(kfac.toTensors());
      kfac.observe(List.of(small));
      other.observe(List.of(small));
      assertThat(other.toTensors()).isEqualTo(kfac.toTensors());
    }
  }

  @Test
  void sharesOfBatchesOfAnotherSizeCanBeCorrected() {
    KfacOptions options = OPTIONS.withDamping(1);
    try (Backend backend = open();
        Kfac kfac = new Kfac(backend, Map.of("fc", LAYER), options);
        Kfac java = new Kfac(new JavaBackend(), Map.of("fc", LAYER), options)) {
      for (Kfac one : List.of(kfac, java)) {
        one.observe(List.of(observed(1, 2, 3, 5, 1e16, -1e16, 2e16, 1e16)));
        one.endStep();
        one.observe(List.of(observed(2, 1, 0, 1, 1e17, 1e17, -1e17, 2e17)), Share.of(0.5));
        one.reweigh(1.5);
      }
      assertThat(Fixtures.error(kfac.state().outputFactor("fc"), java.state().outputFactor("fc")))
          .isLessThan(16 * 0x1p-24);
    }
  }

  /** U of 1e37 times 1e-49. */
  @Test
  void aClipThatFp32HasNoRoomForIsAsInDouble() {
    KfacOptions options = KfacOptions.DEFAULT.withDecay(0).withDamping(1e-3).withKlClip(1e-17, 3e4);
    double[][] steps = new double[2][];
    try (Backend backend = open();
        Kfac kfac = new Kfac(backend, Map.of("fc", LAYER), options);
        Kfac java = new Kfac(new JavaBackend(), Map.of("fc", LAYER), options)) {
      for (int i = 0; i < 2; i++) {
        Kfac one = i == 0 ? kfac : java;
        one.observe(List.of(observed(1, 0, 0, 1, 1, 0, 0, 1)));
        one.refresh();
        HostTensor gradient = HostTensor.of(new float[] {1e35f, 2e34f, -3e34f, 4e34f}, 2, 2);
        one.precondition(List.of(new LayerGradient("fc", gradient, null)));
        steps[i] = gradient.toArray();
      }
    }
    assertThat(Fixtures.error(steps[0], steps[1])).isLessThan(64 * 0x1p-24);
  }

  /** Damping of 1e-68 of the block, where an input was always zero. */
  @Test
  void aStepWithoutRoomInItsTensorsIsRefused() {
    requireFiniteOrRefused(
        OPTIONS
            .withApproximation(Approximation.DIAGONAL)
            .withDampingMode(DampingMode.EXACT)
            .withDamping(1),
        observed(1e17, 0, 2e17, 0, 1e17, 1e17, 2e17, -1e17));
    // inverses of 1e20 for ordinary factors
    requireFiniteOrRefused(OPTIONS.withDamping(1e-40), observed(1, 0, 1, 0, 1, 0, 1, 0));
  }

  private void requireFiniteOrRefused(KfacOptions options, Observation seen) {
    try (Backend backend = open();
        Kfac kfac = new Kfac(backend, Map.of("fc", LAYER), options)) {
      kfac.observe(List.of(seen));
      kfac.refresh();
      try {
        for (double value : step(kfac, LAYER)) {
          assertThat(value).isFinite();
        }
      } catch (InversionFailedException e) {
        assertThat(e).hasMessageContaining("layer 'fc'");
      }
    }
  }

  /** Two examples of two inputs, and of two output gradients. */
  private static Observation observed(double... x) {
    return Observation.ofSumLoss(
        "fc",
        Fixtures.direct(Arrays.copyOf(x, 4), 2, 2),
        Fixtures.direct(Arrays.copyOfRange(x, 4, 8), 2, 2));
  }
}
