package io.github.kfac4j.testkit.attack;

import io.github.kfac4j.Kfac;
import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.Backends;
import io.github.kfac4j.data.LayerGradient;
import io.github.kfac4j.data.Observation;
import io.github.kfac4j.options.Approximation;
import io.github.kfac4j.testkit.EveryLayer;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;

/**
 * {@code ThreadAttack BACKEND ROUNDS [SEED]}: in each round two threads train, each with a K-FAC of
 * its own on one backend, a third reads both, and a fourth closes all at a random moment. Every
 * call must do to the bit what it does alone, or be refused with an {@link IllegalStateException}
 * that says why. Exit 1 where one is not; a fault is printed with its seed.
 */
public final class ThreadAttack {
  private static final int STEPS = 4;

  /** The latest moment of closing, in milliseconds; most rounds end before. */
  private static final int LATEST = 200;

  private final Supplier<Backend> opener;
  private final AtomicLong calls = new AtomicLong();
  private final AtomicLong refusals = new AtomicLong();

  /** On backends that are opened as needed. */
  public ThreadAttack(Supplier<Backend> opener) {
    this.opener = opener;
  }

  public static void main(String[] arguments) {
    long rounds = Long.parseLong(arguments[1]);
    long seed = arguments.length > 2 ? Long.parseLong(arguments[2]) : 1;
    ThreadAttack attack = new ThreadAttack(() -> Backends.require(arguments[0]));
    int faults = 0;
    for (long end = seed + rounds; seed < end; seed++) {
      try {
        attack.round(new Random(seed));
      } catch (CompletionException | AssertionError e) {
        faults++;
        System.out.println("seed " + seed + ": " + e);
      }
    }
    System.out.printf(
        "%s: %d rounds, %d calls, %d refusals; %d faults%n",
        arguments[0], rounds, attack.calls.get(), attack.refusals.get(), faults);
    System.exit(faults == 0 ? 0 : 1);
  }

  /** One round; an {@link AssertionError} or {@link CompletionException} tells of a fault. */
  public void round(Random random) {
    Approximation[] all = Approximation.values();
    Approximation approximation = all[random.nextInt(all.length)];
    long data = random.nextLong();
    double[][][] expected = new double[STEPS][][];
    try (Backend backend = opener.get();
        Kfac alone = EveryLayer.kfac(backend, approximation, EveryLayer.OPTIONS)) {
      for (int step = 0; step < STEPS; step++) {
        expected[step] = EveryLayer.step(alone, new Random(data + step));
      }
    }
    AtomicBoolean ended = new AtomicBoolean();
    Backend backend = opener.get();
    Kfac one = EveryLayer.kfac(backend, approximation, EveryLayer.OPTIONS);
    Kfac other = EveryLayer.kfac(backend, approximation, EveryLayer.OPTIONS);
    CompletableFuture<Void> training =
        CompletableFuture.allOf(
            CompletableFuture.runAsync(() -> train(one, data, expected)),
            CompletableFuture.runAsync(() -> train(other, data, expected)));
    CompletableFuture<Void> reading =
        CompletableFuture.runAsync(
            () -> {
              while (!ended.get()) {
                attempt(one::toTensors);
                attempt(other::toTensors);
              }
            });
    try {
      Thread.sleep(random.nextInt(LATEST));
      for (AutoCloseable each : List.of(one, other, backend)) {
        close(each);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      ended.set(true);
    }
    CompletableFuture.allOf(training, reading).join();
  }

  private void train(Kfac kfac, long data, double[][][] expected) {
    for (int step = 0; step < STEPS; step++) {
      Random random = new Random(data + step);
      List<Observation> observations = EveryLayer.observations(random);
      List<LayerGradient> gradients = EveryLayer.gradients(random);
      boolean whole = (data & 1) == 0 && !kfac.options().approximation().measuresBetweenRefreshes();
      boolean done =
          whole
              ? done(() -> kfac.step(observations, gradients))
              : done(() -> kfac.observe(observations))
                  && done(kfac::refresh)
                  && done(() -> kfac.precondition(gradients));
      if (!done) {
        return;
      }
      if (!Arrays.deepEquals(EveryLayer.values(gradients), expected[step])) {
        throw new AssertionError("step " + step + " is another than alone");
      }
    }
  }

  /** Calls until it is this thread's turn; false once it has been closed. */
  private boolean done(Runnable verb) {
    while (true) {
      String refusal = attempt(verb);
      if (refusal == null) {
        return true;
      }
      if (refusal.contains("closed")) {
        return false;
      }
    }
  }

  /** The refusal, or null. */
  private String attempt(Runnable verb) {
    calls.incrementAndGet();
    try {
      verb.run();
      return null;
    } catch (IllegalStateException e) {
      refusals.incrementAndGet();
      String message = String.valueOf(e.getMessage());
      if (!message.contains("one thread at a time") && !message.contains("closed")) {
        throw new AssertionError("refused with " + message, e);
      }
      return message;
    }
  }

  private void close(AutoCloseable each) {
    done(
        () -> {
          try {
            each.close();
          } catch (RuntimeException e) {
            throw e;
          } catch (Exception e) {
            throw new AssertionError(e);
          }
        });
  }
}
