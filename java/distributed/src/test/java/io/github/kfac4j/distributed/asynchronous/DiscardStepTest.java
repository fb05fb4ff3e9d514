package io.github.kfac4j.distributed.asynchronous;

import static io.github.kfac4j.distributed.sharing.TrainingScenario.OPTIONS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.assertj.core.data.Offset.offset;

import io.github.kfac4j.KfacPreconditioner;
import io.github.kfac4j.data.LayerGradient;
import io.github.kfac4j.data.LayerReport;
import io.github.kfac4j.data.Share;
import io.github.kfac4j.data.StepReport;
import io.github.kfac4j.distributed.DistributedKfac;
import io.github.kfac4j.distributed.collectives.Precision;
import io.github.kfac4j.distributed.collectives.Ranks;
import io.github.kfac4j.distributed.sharing.Assignment;
import io.github.kfac4j.distributed.sharing.LayerCost;
import io.github.kfac4j.distributed.sharing.Means;
import io.github.kfac4j.distributed.sharing.Mlp;
import io.github.kfac4j.distributed.sharing.TrainingScenario;
import io.github.kfac4j.options.Convention;
import io.github.kfac4j.reference.JavaBackend;
import io.github.kfac4j.safetensors.StoredTensor;
import io.github.kfac4j.tensor.HostTensor;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Steps that are dropped, layers that join, and states that are refused, by all ranks together. */
class DiscardStepTest {
  private static final int STEPS = 6;

  enum Point {
    INPUTS_OBSERVED,
    HALF_OBSERVED,
    REFRESHED,
    PREVIEWED,
    REFUSED
  }

  /** A step that is not to be, of another batch. */
  private static void bad(
      KfacPreconditioner kfac, Mlp network, Point point, int step, int[] shard) {
    network.forwardBackward(1000 + step, shard[0], shard[1]);
    if (point == Point.INPUTS_OBSERVED) {
      kfac.observeInputs(network.inputObservations(), Share.ALL);
    }
    if (point == Point.INPUTS_OBSERVED || point == Point.HALF_OBSERVED) {
      kfac.observe(network.observations(), Share.of(0.5));
      return;
    }
    kfac.observe(network.observations());
    kfac.refresh();
    List<LayerGradient> gradients = network.gradients();
    if (point == Point.REFUSED) {
      ((HostTensor) gradients.get(0).weight()).write(0, new double[] {Double.NaN}, 0, 1);
      assertThat(catchThrowable(() -> kfac.precondition(gradients)))
          .hasMessageContaining("discardStep() drops this step");
    } else if (point == Point.PREVIEWED) {
      kfac.preview(gradients);
    }
  }

  private static List<double[]> train(KfacPreconditioner kfac, Point point, int[] shard) {
    Mlp network = new Mlp();
    for (int step = 0; step < STEPS; step++) {
      if (point != null) {
        bad(kfac, network, point, step, shard);
        kfac.discardStep();
      }
      TrainingScenario.train(network, kfac, step, step + 1, shard);
    }
    return network.weights();
  }

  @ParameterizedTest
  @EnumSource(Point.class)
  void allRanksGoOnAsIfTheStepHadNotBeen(Point point) {
    Assignment assignment =
        Assignment.balanced(LayerCost.cubic(Mlp.layers()), 3).withWorkerFraction(1);
    Ranks.run(
        3,
        c -> {
          int[] shard = TrainingScenario.shard(c, TrainingScenario.EVEN);
          try (var straight = DistributedKfac.of(c, new JavaBackend(), Mlp.layers(), OPTIONS);
              var other = DistributedKfac.of(c, new JavaBackend(), Mlp.layers(), OPTIONS);
              var copying =
                  new DistributedKfac(
                      c, new JavaBackend(), Mlp.layers(), OPTIONS, assignment, Precision.FP32)) {
            List<double[]> expected = train(straight, null, shard);
            TrainingScenario.assertSame(List.of(expected, train(other, point, shard)));
            TrainingScenario.assertSame(List.of(expected, train(copying, point, shard)));
            assertThat(other.toTensors()).isEqualTo(straight.toTensors());
          }
          return null;
        });
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 2, 4})
  void asynchronousInversesGoOnAsIfTheStepHadNotBeen(int bound) {
    int[] all = {0, 12};
    for (Point point : Point.values()) {
      try (var straight = asynchronous(1, bound);
          var other = asynchronous(2, bound)) {
        List<double[]> expected = train(straight, null, all);
        TrainingScenario.assertSame(List.of(expected, train(other, point, all)));
        assertThat(other.largestLag()).isEqualTo(straight.largestLag());
        assertThat(other.toTensors()).isEqualTo(straight.toTensors());
      }
    }
  }

  private static AsynchronousKfac asynchronous(int seed, int bound) {
    return new AsynchronousKfac(
        new JavaBackend(), SlowBackend.of(seed), Mlp.layers(), OPTIONS, bound, Clock.LOGICAL);
  }

  @Test
  void aRankThatDropsAloneIsToldToTheOthers() {
    var messages =
        Ranks.run(
            3,
            c -> {
              int[] shard = TrainingScenario.shard(c, TrainingScenario.EVEN);
              Mlp network = new Mlp();
              try (var kfac = DistributedKfac.of(c, new JavaBackend(), Mlp.layers(), OPTIONS)) {
                network.forwardBackward(1000, shard[0], shard[1]);
                kfac.observe(network.observations());
                String told = c.rank() == 1 ? null : catchThrowable(kfac::refresh).getMessage();
                kfac.discardStep();
                TrainingScenario.train(network, kfac, 0, STEPS, shard);
                return told + " " + Arrays.hashCode(network.weights().get(0));
              }
            });
    var straight =
        Ranks.run(
            3,
            c -> {
              try (var kfac = DistributedKfac.of(c, new JavaBackend(), Mlp.layers(), OPTIONS)) {
                int[] shard = TrainingScenario.shard(c, TrainingScenario.EVEN);
                return Arrays.hashCode(train(kfac, null, shard).get(0));
              }
            });
    String told = "rank 1: has dropped this step; discardStep() is to be called on all ranks";
    assertThat(messages.get(0)).isEqualTo(told + " " + straight.get(0));
    assertThat(messages.get(1)).isEqualTo("null " + straight.get(0));
    assertThat(messages.get(2)).isEqualTo(told + " " + straight.get(0));
  }

  /** With three layers on three ranks one rank owns nothing but the layer that joins late. */
  @Test
  void aLayerThatNobodyHasSeenJoinsLater() {
    Ranks.run(
        3,
        c -> {
          int[] shard = TrainingScenario.shard(c, TrainingScenario.EVEN);
          Mlp network = new Mlp();
          try (var kfac = DistributedKfac.of(c, new JavaBackend(), Mlp.layers(), OPTIONS)) {
            for (int step = 0; step < 5; step++) {
              boolean seen = step >= 1;
              network.forwardBackward(step, shard[0], shard[1]);
              kfac.observe(
                  network.observations().stream()
                      .filter(one -> seen || !one.layer().equals("fc2"))
                      .toList());
              List<LayerReport> reports = kfac.wantsRefresh() ? kfac.refresh() : List.of();
              if (step == 0) {
                assertThat(reports.get(2).perGroup().get(0).status())
                    .isEqualTo(LayerReport.NOT_OBSERVED);
              }
              List<LayerGradient> plain = network.gradients();
              List<LayerGradient> gradients = network.gradients();
              StepReport report = kfac.precondition(gradients);
              assertThat(report.plain()).isEqualTo(step < 2 ? List.of("fc2") : List.of());
              assertThat(report.clip()).isLessThan(1);
              double[] mean = Means.sum(c, values(plain.get(2)));
              double[] u = values(gradients.get(2));
              if (step < 2) {
                for (int i = 0; i < u.length; i++) {
                  assertThat(u[i]).isEqualTo((float) u[i]);
                  assertThat(u[i]).isCloseTo(mean[i] / 3, offset(1e-6));
                }
              }
              network.update(gradients);
            }
          }
          return null;
        });
  }

  private static double[] values(LayerGradient gradient) {
    return ((HostTensor) gradient.weight()).toArray();
  }

  @Test
  void aStateThatOneRankRefusesIsTakenByNone() {
    Map<String, StoredTensor> foreign =
        Ranks.run(
                1,
                c -> {
                  var jax = OPTIONS.withConvention(Convention.KFAC_JAX);
                  try (var kfac = DistributedKfac.of(c, new JavaBackend(), Mlp.layers(), jax)) {
                    return kfac.toTensors();
                  }
                })
            .get(0);
    var messages =
        Ranks.run(
            3,
            c -> {
              int[] shard = TrainingScenario.shard(c, TrainingScenario.EVEN);
              try (var saved = DistributedKfac.of(c, new JavaBackend(), Mlp.layers(), OPTIONS);
                  var kfac = DistributedKfac.of(c, new JavaBackend(), Mlp.layers(), OPTIONS)) {
                TrainingScenario.train(new Mlp(), saved, 0, 3, shard);
                TrainingScenario.train(new Mlp(), kfac, 0, 2, shard);
                var good = saved.toTensors();
                var before = kfac.toTensors();
                String message =
                    catchThrowable(() -> kfac.restore(c.rank() == 2 ? foreign : good)).getMessage();
                assertThat(kfac.toTensors()).isEqualTo(before);
                assertThat(kfac.step()).isEqualTo(2);
                kfac.restore(good);
                assertThat(kfac.toTensors()).isEqualTo(good);
                return message;
              }
            });
    assertThat(messages).containsOnly(messages.get(0));
    assertThat(messages.get(0))
        .startsWith("rank 2: layer 'fc")
        .contains("convention kfac-jax of the empirical Fisher there, kfc here");
  }
}
