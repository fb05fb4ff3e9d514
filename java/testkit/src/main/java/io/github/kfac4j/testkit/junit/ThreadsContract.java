package io.github.kfac4j.testkit.junit;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.kfac4j.Kfac;
import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.data.LayerGradient;
import io.github.kfac4j.data.Observation;
import io.github.kfac4j.options.Approximation;
import io.github.kfac4j.safetensors.StoredTensor;
import io.github.kfac4j.testkit.EveryLayer;
import io.github.kfac4j.testkit.attack.ThreadAttack;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/**
 * Two threads at once: a call does what it does alone, or is refused with an {@link
 * IllegalStateException} and changes nothing. A backend's module extends this class.
 */
public abstract class ThreadsContract {
  private static final int CALLS = 40;
  private static final int STEPS = 6;
  private static final int ROUNDS = 12;

  /** So many until the other thread was refused once, however late it began. */
  private static final int MAX_STEPS = 200;

  /** Opens the backend under test. */
  protected abstract Backend open();

  /** Calls of a second thread, all of which must be refused while another is in the first. */
  private static void refused(CountDownLatch stop, AtomicInteger refusals, Runnable call) {
    while (stop.getCount() > 0) {
      try {
        call.run();
      } catch (IllegalStateException e) {
        assertThat(e).hasMessageContaining("is used by one thread at a time");
        refusals.incrementAndGet();
      }
    }
  }

  @Test
  void stepsOfOneThreadAreRightWhateverAnotherTries() {
    try (Backend backend = open();
        Backend quiet = open();
        Kfac kfac = EveryLayer.kfac(backend, Approximation.KRONECKER, EveryLayer.OPTIONS);
        Kfac alone = EveryLayer.kfac(quiet, Approximation.KRONECKER, EveryLayer.OPTIONS)) {
      CountDownLatch stop = new CountDownLatch(1);
      AtomicInteger refusals = new AtomicInteger();
      CompletableFuture<Void> other =
          CompletableFuture.runAsync(() -> refused(stop, refusals, kfac::toTensors));
      try {
        for (int step = 0; step < STEPS || refusals.get() == 0 && step < MAX_STEPS; step++) {
          double[][] expected = EveryLayer.step(alone, new Random(step));
          assertThat(step(kfac, step)).isDeepEqualTo(expected);
        }
      } finally {
        stop.countDown();
      }
      other.join();
      assertThat(refusals).hasPositiveValue();
      Map<String, StoredTensor> state = kfac.toTensors();
      assertThat(state).isEqualTo(alone.toTensors());
    }
  }

  /** A K-FAC is not refused in the midst of a verb, when another one has the backend. */
  @Test
  void trainingsOnOneBackendAreRightHoweverTheirCallsMeet() {
    ThreadAttack attack = new ThreadAttack(this::open);
    for (int seed = 0; seed < ROUNDS; seed++) {
      attack.round(new Random(seed));
    }
  }

  /** One step, whose verbs are tried again until the other thread leaves them the turn. */
  private static double[][] step(Kfac kfac, int step) {
    Random random = new Random(step);
    List<Observation> observations = EveryLayer.observations(random);
    again(() -> kfac.observe(observations));
    again(kfac::refresh);
    List<LayerGradient> gradients = EveryLayer.gradients(random);
    again(() -> kfac.precondition(gradients));
    return EveryLayer.values(gradients);
  }

  private static void again(Runnable verb) {
    for (boolean done = false; !done; ) {
      try {
        verb.run();
        done = true;
      } catch (IllegalStateException e) {
        assertThat(e).hasMessageContaining("is used by one thread at a time");
      }
    }
  }

  @Test
  void closingDuringUseIsRefusedOrComesAfterIt() throws Exception {
    for (int round = 0; round < CALLS; round++) {
      Backend backend = open();
      MatrixStack stack = backend.allocate(1, 200, 200);
      CountDownLatch ready = new CountDownLatch(1);
      CompletableFuture<Void> user =
          CompletableFuture.runAsync(
              () -> {
                ready.countDown();
                try {
                  for (int i = 0; i < 1000; i++) {
                    backend.traces(List.of(stack));
                  }
                } catch (IllegalStateException e) {
                  assertThat(e.getMessage()).containsAnyOf("one thread at a time", "closed");
                }
              });
      ready.await();
      again(stack::close);
      again(backend::close);
      user.get();
    }
  }
}
