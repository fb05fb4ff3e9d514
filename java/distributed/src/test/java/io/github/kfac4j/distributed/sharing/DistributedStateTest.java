package io.github.kfac4j.distributed.sharing;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.kfac4j.Kfac;
import io.github.kfac4j.distributed.DistributedKfac;
import io.github.kfac4j.distributed.collectives.Collectives;
import io.github.kfac4j.distributed.collectives.Precision;
import io.github.kfac4j.distributed.collectives.Ranks;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.reference.JavaBackend;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Checkpoints of distributed runs. */
class DistributedStateTest {
  private static final KfacOptions OPTIONS = TrainingScenario.OPTIONS;

  private static Assignment balanced(int ranks) {
    return Assignment.balanced(LayerCost.cubic(Mlp.layers()), ranks);
  }

  @Test
  void aResumedRunHasTheCopiesOfTheInverses() {
    Assignment assignment = balanced(4).withWorkerFraction(0.5);
    Ranks.run(
        4,
        c -> {
          int[] shard = TrainingScenario.shard(c, TrainingScenario.EVEN);
          Mlp undisturbed = new Mlp();
          Mlp resumed = new Mlp();
          try (var first = withWorkers(c, assignment);
              var second = withWorkers(c, assignment);
              var third = withWorkers(c, assignment)) {
            TrainingScenario.train(undisturbed, first, 0, 6, shard);
            TrainingScenario.train(resumed, second, 0, 3, shard); // no refresh follows
            third.restore(second.toTensors());
            TrainingScenario.train(resumed, third, 3, 6, shard);
          }
          TrainingScenario.assertSame(List.of(undisturbed.weights(), resumed.weights()));
          return null;
        });
  }

  private static DistributedKfac withWorkers(Collectives c, Assignment assignment) {
    return new DistributedKfac(
        c, new JavaBackend(), Mlp.layers(), OPTIONS, assignment, Precision.FP32);
  }

  @Test
  void theStateLoadsInOneProcessAndOnAnyNumberOfRanks() {
    var states =
        Ranks.run(
            3,
            c -> {
              int[] shard = TrainingScenario.shard(c, TrainingScenario.EVEN);
              Mlp network = new Mlp();
              try (var kfac = DistributedKfac.of(c, new JavaBackend(), Mlp.layers(), OPTIONS)) {
                TrainingScenario.train(network, kfac, 0, 3, shard);
                var state = kfac.toTensors();
                TrainingScenario.train(network, kfac, 3, 6, shard);
                return Map.entry(state, network.weights());
              }
            });
    var state = states.get(0).getKey();
    assertThat(states.get(2).getKey()).isEqualTo(state);

    try (Kfac kfac = new Kfac(new JavaBackend(), Mlp.layers(), OPTIONS)) {
      kfac.restore(state);
      assertThat(kfac.step()).isEqualTo(3);
      assertThat(kfac.toTensors()).isEqualTo(state);
    }
    for (int ranks : new int[] {1, 2, 5}) {
      var copies =
          Ranks.run(
              ranks,
              c -> {
                try (var kfac = DistributedKfac.of(c, new JavaBackend(), Mlp.layers(), OPTIONS)) {
                  kfac.restore(state);
                  return kfac.toTensors();
                }
              });
      assertThat(copies).containsOnly(state);
    }
  }

  @Test
  void aResumedRunHasTheWeightsOfAnUndisturbedOne() {
    Ranks.run(
        3,
        c -> {
          int[] shard = TrainingScenario.shard(c, TrainingScenario.UNEVEN);
          Mlp undisturbed = new Mlp();
          Mlp resumed = new Mlp();
          try (var first = DistributedKfac.of(c, new JavaBackend(), Mlp.layers(), OPTIONS);
              var second = DistributedKfac.of(c, new JavaBackend(), Mlp.layers(), OPTIONS);
              var third = DistributedKfac.of(c, new JavaBackend(), Mlp.layers(), OPTIONS)) {
            first.setExamples(shard[1] - shard[0]);
            second.setExamples(shard[1] - shard[0]);
            third.setExamples(shard[1] - shard[0]);
            TrainingScenario.train(undisturbed, first, 0, 6, shard);
            TrainingScenario.train(resumed, second, 0, 3, shard);
            third.restore(second.toTensors());
            TrainingScenario.train(resumed, third, 3, 6, shard);
          }
          TrainingScenario.assertSame(List.of(undisturbed.weights(), resumed.weights()));
          return null;
        });
  }
}
