package io.github.kfac4j.distributed.ranks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.github.kfac4j.distributed.DistributedKfac;
import io.github.kfac4j.distributed.collectives.Precision;
import io.github.kfac4j.distributed.collectives.Ranks;
import io.github.kfac4j.distributed.sharing.Assignment;
import io.github.kfac4j.distributed.sharing.LayerCost;
import io.github.kfac4j.distributed.sharing.Mlp;
import io.github.kfac4j.distributed.sharing.TrainingScenario;
import io.github.kfac4j.layer.Dense;
import io.github.kfac4j.layer.Layer;
import io.github.kfac4j.options.Approximation;
import io.github.kfac4j.options.Convention;
import io.github.kfac4j.options.Intervals;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.reference.JavaBackend;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

/** Ranks that cannot share a job say so. */
class SharedLayersTest {
  private static final KfacOptions OPTIONS = TrainingScenario.OPTIONS;
  private static final List<LayerCost> COSTS = LayerCost.cubic(Mlp.layers());

  private static String message(ThrowingCallable call) {
    return catchThrowable(call).getMessage();
  }

  @Test
  void ranksThatMeanDifferentJobsAreRefused() {
    assertThat(refusal(Mlp.layers(), OPTIONS.withDamping(0.2)))
        .contains("the settings differs", "rank 0", "rank 1", "damping=0.1", "damping=0.2");
    Map<String, Layer> other = new LinkedHashMap<>(Mlp.layers());
    other.put("fc1", new Dense(20, 3, false));
    assertThat(refusal(other, OPTIONS)).contains("layer 'fc1' differs", "bias=true", "bias=false");
    other.remove("fc1");
    assertThat(refusal(other, OPTIONS))
        .contains("the list of layers differs", "[fc0, fc1, fc2]", "[fc0, fc2]");
  }

  /** What two ranks say if the second has other layers or settings. */
  private static String refusal(Map<String, Layer> layers, KfacOptions options) {
    var messages =
        Ranks.run(
            2,
            c ->
                message(
                    () ->
                        DistributedKfac.of(
                            c,
                            new JavaBackend(),
                            c.rank() == 0 ? Mlp.layers() : layers,
                            c.rank() == 0 ? OPTIONS : options)));
    assertThat(messages.get(1)).isEqualTo(messages.get(0));
    return messages.get(0);
  }

  @Test
  void whatIsForSingleProcessesIsRefused() {
    assertThatThrownBy(() -> alone(OPTIONS.withIntervals(Intervals.adaptive(0.1))))
        .hasMessageContaining("adaptive intervals are for single processes");
    assertThatThrownBy(() -> alone(OPTIONS.withApproximation(Approximation.EKFAC)))
        .hasMessageContaining("EKFAC");
  }

  private static void alone(KfacOptions options) {
    Ranks.run(
        1,
        c -> {
          DistributedKfac.of(c, new JavaBackend(), Mlp.layers(), options).close();
          return null;
        });
  }

  @Test
  void versionsThatDifferAreRefusedWithBoth() {
    var messages =
        Ranks.run(
            3,
            c -> {
              SharedLayers shared =
                  new SharedLayers(c, Mlp.layers(), Assignment.balanced(COSTS, 3));
              String version = c.rank() == 2 ? "0.2.0" : "0.1.0";
              return message(() -> shared.check(version, OPTIONS, Precision.FP32));
            });
    assertThat(messages)
        .containsOnly(
            "the version of kfac4j differs between ranks: rank 0 has 0.1.0, rank 2 has 0.2.0");
  }

  /** With more ranks than layers, so that some own none. */
  @Test
  void settingsThatAStateCannotChangeAreRefusedOnAllRanks() {
    var messages =
        Ranks.run(
            5,
            c -> {
              try (var kfac = DistributedKfac.of(c, new JavaBackend(), Mlp.layers(), OPTIONS)) {
                KfacOptions other = OPTIONS.withConvention(Convention.KFAC_JAX);
                String refusal = message(() -> kfac.reconfigure(other));
                assertThat(kfac.options()).isEqualTo(OPTIONS);
                kfac.reconfigure(OPTIONS.withDamping(3));
                assertThat(kfac.options().damping()).isEqualTo(3);
                return refusal;
              }
            });
    assertThat(messages)
        .containsOnly(
            "convention, the estimator that it depends on, approximations and damping mode are fixed"
                + " for the life of a Kfac");
  }

  @Test
  void anAssignmentOfOtherRanksOrLayersIsRefused() {
    for (Assignment other :
        List.of(Assignment.balanced(COSTS, 3), Assignment.balanced(COSTS.subList(0, 2), 2))) {
      var messages =
          Ranks.run(
              2,
              c ->
                  message(
                      () ->
                          new DistributedKfac(
                              c, new JavaBackend(), Mlp.layers(), OPTIONS, other, Precision.FP32)));
      assertThat(messages)
          .allMatch(m -> m.startsWith("the assignment is of [fc0, fc1"))
          .allMatch(m -> m.endsWith("but there are [fc0, fc1, fc2] and 2 ranks"));
    }
  }
}
