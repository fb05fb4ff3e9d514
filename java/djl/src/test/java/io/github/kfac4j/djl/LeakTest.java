package io.github.kfac4j.djl;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Model;
import ai.djl.ndarray.NDManager;
import ai.djl.training.Trainer;
import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.Backends;
import io.github.kfac4j.fisher.Fisher;
import io.github.kfac4j.options.KfacOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

class LeakTest {
  private static final int WARM_UP = 400;
  private static final int STEPS = 400;
  private static final int ROUNDS = 5;

  private static void step(Trainer trainer, DjlKfac kfac, int seed) {
    try (NDManager batch = trainer.getManager().newSubManager()) {
      Nets.pass(trainer, Nets.images(batch, seed));
      if (kfac != null) {
        kfac.precondition();
      }
      trainer.step();
    }
  }

  /**
   * The heap has a fixed size here, so what grows is memory of the engine or direct buffers, or,
   * for some time, of the compiler: what leaks grows in every round.
   */
  @Test
  @EnabledOnOs(OS.LINUX)
  void thousandsOfStepsKeepNothing() throws IOException {
    KfacOptions options = KfacOptions.DEFAULT.withDamping(0.1).withIntervals(2, 50);
    try (Backend backend = Backends.require("java");
        Model model = Nets.model(Nets.cnn());
        DjlKfac kfac = DjlKfac.attach(model, options, Fisher.monteCarlo(1), backend);
        Trainer trainer = model.newTrainer(Nets.config(0.01f))) {
      trainer.initialize(Nets.IMAGES);
      NDManager all = model.getNDManager().getParentManager();
      int step = 0;
      for (; step < WARM_UP; step++) {
        step(trainer, kfac, step);
      }
      int arrays = all.getManagedArrays().size();
      long growth = Long.MAX_VALUE;
      for (int round = 0; round < ROUNDS && growth >= 3 * 1024; round++) {
        long before = residentKilobytes();
        for (int i = 0; i < STEPS; i++) {
          step(trainer, kfac, step++);
        }
        growth = residentKilobytes() - before;
        assertThat(all.getManagedArrays().size()).isEqualTo(arrays);
      }
      assertThat(growth).as("growth in kB, of every round").isLessThan(3 * 1024);
    }
  }

  @Test
  void abandonedPassesAreFreedByTheNext() {
    try (Backend backend = Backends.require("java");
        Model model = Nets.model(Nets.cnn());
        DjlKfac kfac = DjlKfac.attach(model, KfacOptions.DEFAULT, Fisher.EMPIRICAL, backend);
        Trainer trainer = model.newTrainer(Nets.config(0.01f))) {
      trainer.initialize(Nets.IMAGES);
      int arrays = 0;
      for (int i = 0; i < 3; i++) {
        try (NDManager batch = trainer.getManager().newSubManager()) {
          Nets.pass(trainer, Nets.images(batch, i));
        }
        arrays =
            i == 0 ? model.getNDManager().getParentManager().getManagedArrays().size() : arrays;
      }
      assertThat(model.getNDManager().getParentManager().getManagedArrays().size())
          .isEqualTo(arrays);
      assertThat(kfac.layers()).hasSize(3);
    }
  }

  private static long residentKilobytes() throws IOException {
    return Files.readAllLines(Path.of("/proc/self/status")).stream()
        .filter(line -> line.startsWith("VmRSS:"))
        .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
        .findFirst()
        .orElseThrow();
  }
}
