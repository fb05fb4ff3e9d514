package io.github.kfac4j.distributed.asynchronous;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.github.kfac4j.Kfac;
import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.distributed.DistributedKfac;
import io.github.kfac4j.distributed.collectives.Precision;
import io.github.kfac4j.distributed.collectives.Ranks;
import io.github.kfac4j.distributed.sharing.Mlp;
import io.github.kfac4j.distributed.sharing.TrainingScenario;
import io.github.kfac4j.options.Approximation;
import io.github.kfac4j.options.Intervals;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.reference.JavaBackend;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Gradient workers, statistics workers and inverse workers as ranks. */
class AsynchronousRanksTest {
  private static final KfacOptions OPTIONS = TrainingScenario.OPTIONS;
  private static final int STEPS = 9;

  private static AsynchronousPlan plan(int g, int s, int i, int bound, Clock clock) {
    return new AsynchronousPlan(g, s, i, bound, clock);
  }

  private static List<AsynchronousScenario.Result> train(
      AsynchronousPlan plan, KfacOptions options) {
    return Ranks.run(
            plan.ranks(),
            c -> AsynchronousScenario.run(c, plan, SlowBackend.of(c.rank()), options, STEPS))
        .subList(0, plan.gradients());
  }

  private static void assertBits(
      List<AsynchronousScenario.Result> results, List<double[]> expected) {
    for (var result : results) {
      TrainingScenario.assertSame(List.of(expected, result.weights()));
    }
  }

  /** As many gradient and statistics workers as there are synchronous ranks, with their shards. */
  @ParameterizedTest
  @CsvSource({"1, 1", "1, 2", "2, 1", "3, 2", "2, 5"})
  void withoutStalenessTheBitsAreThoseOfSynchronousRanks(int ranks, int inverses) {
    var synchronous =
        Ranks.run(
            ranks,
            c -> {
              Mlp network = new Mlp();
              int[] shard = TrainingScenario.shard(c, TrainingScenario.EVEN);
              try (var kfac = DistributedKfac.of(c, new JavaBackend(), Mlp.layers(), OPTIONS)) {
                TrainingScenario.train(network, kfac, 0, STEPS, shard);
              }
              return network.weights();
            });
    for (Clock clock : Clock.values()) {
      var results = train(plan(ranks, ranks, inverses, 0, clock), OPTIONS);
      assertBits(results, synchronous.get(0));
      assertThat(results.get(0).lags()).containsOnly(0L);
    }
  }

  /** What one process does with a worker beside it, which has its own simulation as reference. */
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 4})
  void logicalClocksMakeARunReproducible(int bound) {
    var first = train(plan(2, 1, 2, bound, Clock.LOGICAL), OPTIONS);
    for (int run = 0; run < 2; run++) {
      assertBits(train(plan(2, 1, 2, bound, Clock.LOGICAL), OPTIONS), first.get(0).weights());
    }
    assertThat(first.get(0).lags()).startsWith(0L).contains((long) bound);
    Mlp beside = new Mlp();
    try (var kfac =
        new AsynchronousKfac(
            new JavaBackend(), new JavaBackend(), Mlp.layers(), OPTIONS, bound, Clock.LOGICAL)) {
      TrainingScenario.train(beside, kfac, 0, STEPS, new int[] {0, TrainingScenario.BATCH});
    }
    TrainingScenario.assertClose(first.get(0).weights(), beside.weights(), 1e-6);
  }

  @Test
  void byTheWallClockLagsStayInTheBoundAndAllRanksAgree() {
    for (int run = 0; run < 3; run++) {
      var results = train(plan(3, 2, 1, 3, Clock.WALL), OPTIONS);
      assertBits(results, results.get(0).weights());
      assertThat(results.get(0).lags()).allMatch(lag -> lag <= 3);
      assertThat(results.get(1).lags()).isEqualTo(results.get(0).lags());
    }
  }

  @Test
  void gradientWorkersDoNotWaitBelowTheBoundAndDoAtIt() throws Exception {
    AsynchronousPlan plan = plan(1, 1, 1, 4, Clock.WALL);
    CountDownLatch gate = new CountDownLatch(1);
    CountDownLatch reachedFive = new CountDownLatch(1);
    CountDownLatch reachedSix = new CountDownLatch(1);
    int[] inversions = {0};
    Backend gated =
        SlowBackend.before(
            () -> {
              if (++inversions[0] > 1) {
                awaitGate(gate);
              }
            });
    Thread opener =
        new Thread(
            () -> {
              try {
                // the refresh of step 2 hangs; steps 2 to 5 go on with the inverses of step 0
                boolean went = reachedFive.await(30, TimeUnit.SECONDS);
                boolean waited = !reachedSix.await(300, TimeUnit.MILLISECONDS);
                assertThat(went && waited).isTrue();
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
              gate.countDown();
            });
    opener.start();
    long[] waits = new long[1];
    var lags =
        Ranks.run(
                3,
                c ->
                    AsynchronousScenario.run(
                        c,
                        plan,
                        c.rank() == 2 ? gated : new JavaBackend(),
                        OPTIONS,
                        STEPS,
                        (worker, network, step) -> {
                          if (step == 5) {
                            assertThat(worker.waits()).isZero();
                            reachedFive.countDown();
                          }
                          if (step == 6) {
                            waits[0] = worker.waits();
                            reachedSix.countDown();
                          }
                        }))
            .get(0)
            .lags();
    opener.join();
    assertThat(waits[0]).isEqualTo(1);
    assertThat(lags.subList(0, 7)).containsExactly(0L, 0L, 0L, 0L, 0L, 0L, 4L);
  }

  private static void awaitGate(CountDownLatch gate) {
    try {
      gate.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Test
  void theStateLoadsInOneProcessAndInOtherPlans() {
    var whole = train(plan(2, 2, 1, 0, Clock.LOGICAL), OPTIONS).get(0).weights();
    var resumed =
        Ranks.run(
                5,
                c ->
                    AsynchronousScenario.run(
                        c,
                        plan(2, 2, 1, 0, Clock.LOGICAL),
                        new JavaBackend(),
                        OPTIONS,
                        STEPS,
                        (worker, network, step) -> {
                          if (step == 4) {
                            var state = worker.toTensors();
                            try (var one = kfac()) {
                              one.restore(state);
                              assertThat(one.step()).isEqualTo(5);
                              assertThat(one.toTensors()).isEqualTo(state);
                            }
                            worker.restore(state);
                            assertThat(worker.step()).isEqualTo(5);
                          }
                        }))
            .get(1)
            .weights();
    TrainingScenario.assertSame(List.of(whole, resumed));
  }

  private static Kfac kfac() {
    return new Kfac(new JavaBackend(), Mlp.layers(), OPTIONS);
  }

  @Test
  void dampingCanChangeAndReachesTheInverseWorkers() {
    AsynchronousScenario.InStep schedule =
        (worker, network, step) ->
            worker.reconfigure(worker.options().withDamping(0.1 + 0.05 * step));
    var changed =
        Ranks.run(
            3,
            c ->
                AsynchronousScenario.run(
                    c, plan(1, 1, 1, 0, Clock.LOGICAL), new JavaBackend(), OPTIONS, 5, schedule));
    Mlp network = new Mlp();
    try (var kfac = kfac()) {
      for (int step = 0; step < 5; step++) {
        TrainingScenario.train(network, kfac, step, step + 1, new int[] {0, 12});
        kfac.reconfigure(kfac.options().withDamping(0.1 + 0.05 * step));
      }
    }
    TrainingScenario.assertClose(changed.get(0).weights(), network.weights(), 1e-6);
  }

  @Test
  void aNanOfAStatisticsWorkerIsThrownByAllGradientWorkersAndTheRunGoesOn() {
    var messages =
        Ranks.run(
            4,
            c -> {
              AsynchronousPlan plan = plan(2, 1, 1, 0, Clock.LOGICAL);
              String[] thrown = new String[1];
              Backend backend = new JavaBackend();
              if (c.rank() >= 2) {
                AsynchronousScenario.run(c, plan, backend, OPTIONS, 6);
                return null;
              }
              try (var worker =
                  new GradientWorker(c, plan, backend, Mlp.layers(), OPTIONS, Precision.FP32)) {
                Mlp network = new Mlp();
                for (int step = 0; step < 6; step++) {
                  var weights = AsynchronousScenario.views(network);
                  double kept = network.weights().get(0)[3];
                  network.weights().get(0)[3] = step == 2 ? Double.NaN : kept;
                  worker.startStep(weights);
                  network.weights().get(0)[3] = kept;
                  network.forwardBackward(step, 6 * c.rank(), 6 * c.rank() + 6);
                  var gradients = network.gradients();
                  if (step == 2) {
                    thrown[0] = catchThrowable(() -> worker.precondition(gradients)).getMessage();
                  }
                  worker.precondition(gradients);
                  network.update(gradients);
                }
              }
              return thrown[0];
            });
    assertThat(messages.get(0))
        .isEqualTo(messages.get(1))
        .contains("statistics worker 0: layer 'fc")
        .contains("holds a NaN or infinity");
  }

  @Test
  void ranksThatMeanDifferentPlansAreRefused() {
    var messages =
        Ranks.run(
            3,
            c -> {
              int bound = c.rank() == 2 ? 5 : 4;
              AsynchronousPlan plan = plan(1, 1, 1, bound, Clock.LOGICAL);
              return message(
                  () -> AsynchronousScenario.run(c, plan, new JavaBackend(), OPTIONS, 1));
            });
    assertThat(messages.get(0)).contains("the plan differs", "rank 2", "bound=4", "bound=5");
    assertThat(messages).containsOnly(messages.get(0));
  }

  @Test
  void whatCannotBeIsRefusedOnAllRanks() {
    assertThat(refusal(plan(1, 1, 2, 0, Clock.WALL), OPTIONS))
        .isEqualTo("the plan is for 4 ranks, but there are 3");
    AsynchronousPlan plan = plan(1, 1, 1, 0, Clock.WALL);
    assertThat(refusal(plan, OPTIONS.withIntervals(Intervals.adaptive(0.1))))
        .contains("adaptive intervals");
    assertThat(refusal(plan, OPTIONS.withApproximation("fc1", Approximation.EKFAC)))
        .contains("layer 'fc1': the moments of EKFAC");
    assertThatThrownBy(() -> plan(0, 1, 1, 0, Clock.WALL)).hasMessageContaining("but are 0");
    assertThatThrownBy(() -> plan(1, 1, 1, -1, Clock.WALL)).hasMessageContaining("-1");
  }

  @Test
  void aRankThatTakesAnotherRoleIsRefusedOnAll() {
    AsynchronousPlan plan = plan(1, 1, 1, 0, Clock.LOGICAL);
    var messages =
        Ranks.run(
            3,
            c -> {
              Backend backend = new JavaBackend();
              return message(
                  () -> {
                    if (c.rank() == 1) {
                      new InverseWorker(c, plan, backend, Mlp.layers(), OPTIONS, Precision.FP32);
                    } else {
                      AsynchronousScenario.run(c, plan, backend, OPTIONS, 1);
                    }
                  });
            });
    assertThat(messages)
        .containsOnly("rank 1: the plan has this rank for STATISTICS, not for INVERSES");
  }

  private static String refusal(AsynchronousPlan plan, KfacOptions options) {
    var messages =
        Ranks.run(
            3,
            c -> message(() -> AsynchronousScenario.run(c, plan, new JavaBackend(), options, 1)));
    assertThat(messages).containsOnly(messages.get(0));
    return messages.get(0);
  }

  private static String message(ThrowingCallable call) {
    return catchThrowable(call).getMessage();
  }
}
