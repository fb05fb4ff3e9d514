package io.github.kfac4j.distributed.asynchronous;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.github.kfac4j.Kfac;
import io.github.kfac4j.KfacPreconditioner;
import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.data.LayerGradient;
import io.github.kfac4j.distributed.sharing.Mlp;
import io.github.kfac4j.distributed.sharing.TrainingScenario;
import io.github.kfac4j.options.Approximation;
import io.github.kfac4j.options.Intervals;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.reference.JavaBackend;
import io.github.kfac4j.safetensors.StoredTensor;
import io.github.kfac4j.tensor.HostTensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AsynchronousKfacTest {
  private static final KfacOptions OPTIONS = TrainingScenario.OPTIONS.withIntervals(1, 2);
  private static final int STEPS = 9;
  private static final int[] ALL = {0, TrainingScenario.BATCH};

  private static List<double[]> train(KfacPreconditioner kfac) {
    Mlp network = new Mlp();
    try (kfac) {
      TrainingScenario.train(network, kfac, 0, STEPS, ALL);
    }
    return network.weights();
  }

  private static AsynchronousKfac asynchronous(Backend worker, int bound, Clock clock) {
    return new AsynchronousKfac(new JavaBackend(), worker, Mlp.layers(), OPTIONS, bound, clock);
  }

  @Test
  void withoutStalenessTheBitsAreThoseOfKfac() {
    List<double[]> expected = train(new Kfac(new JavaBackend(), Mlp.layers(), OPTIONS));
    for (Clock clock : Clock.values()) {
      AsynchronousKfac kfac = asynchronous(SlowBackend.of(1), 0, clock);
      TrainingScenario.assertSame(List.of(expected, train(kfac)));
      assertThat(kfac.largestLag()).isZero();
    }
  }

  /** Serial: what a refresh at step t publishes is used from step t + bound on. */
  private static List<double[]> simulated(int bound) {
    Mlp network = new Mlp();
    Map<Long, Map<String, StoredTensor>> published = new LinkedHashMap<>();
    try (Kfac statistics = new Kfac(new JavaBackend(), Mlp.layers(), OPTIONS);
        Kfac steps = new Kfac(new JavaBackend(), Mlp.layers(), OPTIONS)) {
      for (long step = 0; step < STEPS; step++) {
        network.forwardBackward(step, ALL[0], ALL[1]);
        statistics.observe(network.observations());
        if (statistics.wantsRefresh()) {
          statistics.refresh();
          published.put(step, statistics.toTensors());
        }
        long newest = 0; // the first ones are waited for
        for (long clock : published.keySet()) {
          newest = clock <= step - bound ? clock : newest;
        }
        steps.restore(published.get(newest));
        List<LayerGradient> gradients = network.gradients();
        steps.preview(gradients);
        statistics.endStep();
        network.update(gradients);
      }
    }
    return network.weights();
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 5})
  void logicalClocksMakeARunReproducible(int bound) {
    List<double[]> expected = simulated(bound);
    for (int seed = 0; seed < 3; seed++) {
      AsynchronousKfac kfac = asynchronous(SlowBackend.of(seed), bound, Clock.LOGICAL);
      TrainingScenario.assertSame(List.of(expected, train(kfac)));
      assertThat(kfac.largestLag()).isEqualTo(bound);
    }
  }

  @Test
  void stepsDoNotWaitBelowTheBoundAndDoAtIt() throws InterruptedException {
    CountDownLatch gate = new CountDownLatch(1);
    List<Integer> inversions = new ArrayList<>();
    Backend gated =
        SlowBackend.before(
            () -> {
              inversions.add(1);
              if (inversions.size() > 1) {
                awaitGate(gate);
              }
            });
    AsynchronousKfac kfac = asynchronous(gated, 4, Clock.WALL);
    Mlp network = new Mlp();
    // the refresh of step 2 hangs; steps 2 to 5 go on with the inverses of step 0
    TrainingScenario.train(network, kfac, 0, 6, ALL);
    assertThat(kfac.waits()).isZero();
    Thread late = new Thread(() -> TrainingScenario.train(network, kfac, 6, 7, ALL));
    late.start();
    late.join(300);
    assertThat(late.isAlive()).as("step 6 waits for the inverses of step 2").isTrue();
    gate.countDown();
    late.join();
    assertThat(kfac.waits()).isEqualTo(1);
    assertThat(kfac.largestLag()).isEqualTo(4);
    kfac.close();
  }

  private static void awaitGate(CountDownLatch gate) {
    try {
      gate.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Test
  void aFailureOfTheWorkerIsThrownByALaterVerb() {
    try (AsynchronousKfac kfac = asynchronous(new JavaBackend(), 2, Clock.LOGICAL)) {
      Mlp network = new Mlp();
      TrainingScenario.train(network, kfac, 0, 1, ALL);
      network.forwardBackward(1, 0, 4);
      List<LayerGradient> gradients = network.gradients();
      var observations = network.observations();
      ((HostTensor) observations.get(1).input()).write(3, new double[] {Double.NaN}, 0, 1);
      kfac.observe(observations);
      kfac.toTensors(); // waits for the worker
      assertThat(catchThrowable(() -> kfac.precondition(gradients)))
          .hasMessage(
              "layer 'fc1': input holds a NaN or infinity at flat index 3; discardStep() drops this"
                  + " step");
      kfac.precondition(gradients); // and then goes on
      assertThat(kfac.step()).isEqualTo(2);
    }
  }

  @Test
  void theStateLoadsInKfacAndBack() {
    Map<String, StoredTensor> state;
    try (AsynchronousKfac kfac = asynchronous(SlowBackend.of(1), 3, Clock.WALL)) {
      TrainingScenario.train(new Mlp(), kfac, 0, 4, ALL);
      state = kfac.toTensors();
    }
    try (Kfac plain = new Kfac(new JavaBackend(), Mlp.layers(), OPTIONS);
        AsynchronousKfac again = asynchronous(SlowBackend.of(2), 3, Clock.WALL)) {
      plain.restore(state);
      assertThat(plain.step()).isEqualTo(4);
      again.restore(state);
      assertThat(again.toTensors()).isEqualTo(state);
      Mlp network = new Mlp();
      network.forwardBackward(4, 0, 12);
      again.precondition(network.gradients()); // has inverses
    }
  }

  @Test
  void whatIsNotSupportedIsRefused() {
    JavaBackend one = new JavaBackend();
    assertThatThrownBy(() -> new AsynchronousKfac(one, one, Mlp.layers(), OPTIONS, 1, Clock.WALL))
        .hasMessageContaining("a backend each");
    assertThatThrownBy(() -> asynchronous(new JavaBackend(), -1, Clock.WALL))
        .hasMessageContaining("-1");
    assertThatThrownBy(() -> with(OPTIONS.withApproximation(Approximation.EKFAC)))
        .hasMessageContaining("layer 'fc0'");
    assertThatThrownBy(() -> with(OPTIONS.withIntervals(Intervals.adaptive(0.1))))
        .hasMessageContaining("adaptive intervals");
  }

  private static void with(KfacOptions options) {
    new AsynchronousKfac(new JavaBackend(), new JavaBackend(), Mlp.layers(), options, 1, Clock.WALL)
        .close();
  }
}
