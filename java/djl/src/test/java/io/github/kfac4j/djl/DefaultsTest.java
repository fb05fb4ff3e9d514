package io.github.kfac4j.djl;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Model;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDManager;
import ai.djl.training.Trainer;
import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.Backends;
import io.github.kfac4j.fisher.Fisher;
import io.github.kfac4j.options.KfacOptions;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The default settings do not blow up at the learning rates that people try first. */
class DefaultsTest {
  private static final int STEPS = 60;
  private static final float[] RATES = {0.01f, 0.03f, 0.1f};

  static Stream<Arguments> networksAndRates() {
    return Arrays.stream(Programs.values())
        .flatMap(
            program ->
                Stream.of(RATES[0], RATES[1], RATES[2]).map(rate -> Arguments.of(program, rate)));
  }

  @ParameterizedTest
  @MethodSource("networksAndRates")
  void trainingStaysFinite(Programs program, float rate) {
    for (long seed = 1; seed <= 3; seed++) {
      double[] losses = losses(program, KfacOptions.DEFAULT, rate, seed, STEPS);
      assertThat(Arrays.stream(losses).allMatch(Double::isFinite)).as("seed %d", seed).isTrue();
      // guessing gives the logarithm of the number of classes
      double last = Arrays.stream(losses).skip(STEPS - 20).average().orElseThrow();
      assertThat(last).as("seed %d", seed).isLessThan(Math.log(Programs.CLASSES));
    }
  }

  static double[] losses(Programs program, KfacOptions options, float rate, long seed, int steps) {
    double[] losses = new double[steps];
    SplittableRandom random = new SplittableRandom(seed);
    try (Backend backend = Backends.require("java");
        Model model = Nets.model(program.network());
        DjlKfac kfac = DjlKfac.attach(model, options, Fisher.EMPIRICAL, backend);
        Trainer trainer = model.newTrainer(Nets.config(rate))) {
      Engine.getInstance().setRandomSeed((int) seed);
      trainer.initialize(program.input());
      for (int step = 0; step < steps; step++) {
        try (NDManager batch = trainer.getManager().newSubManager()) {
          losses[step] = Nets.pass(trainer, program.batch(batch, random));
          if (!Double.isFinite(losses[step])) {
            break;
          }
          kfac.precondition();
          trainer.step();
        }
      }
    }
    return losses;
  }

  /** Prints the table of the README. */
  public static void main(String[] arguments) {
    for (Programs program : Programs.values()) {
      for (double damping : new double[] {1e-3, 1e-2, 1e-1}) {
        for (boolean clipped : new boolean[] {false, true}) {
          StringBuilder line = new StringBuilder();
          for (float rate : RATES) {
            for (long seed = 1; seed <= 3; seed++) {
              KfacOptions options = KfacOptions.DEFAULT.withDamping(damping);
              String last;
              try {
                double[] losses =
                    losses(program, clipped ? options : options.withoutKlClip(), rate, seed, 100);
                double mean = Arrays.stream(losses).skip(80).average().orElseThrow();
                double max = Arrays.stream(losses).max().orElseThrow();
                last = "%.3g (%.3g)".formatted(mean, max);
              } catch (RuntimeException e) {
                last = e.getMessage().substring(0, 40);
              }
              line.append(" | ").append(last);
            }
          }
          System.out.println(program + " " + damping + " clipped=" + clipped + line);
        }
      }
    }
  }
}
