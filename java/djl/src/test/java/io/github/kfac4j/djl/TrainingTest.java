package io.github.kfac4j.djl;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Model;
import ai.djl.ndarray.NDManager;
import ai.djl.training.Trainer;
import io.github.kfac4j.KfacOptions;
import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.Backends;
import org.junit.jupiter.api.Test;

class TrainingTest {
  private static final KfacOptions OPTIONS =
      KfacOptions.DEFAULT.withDamping(0.03).withIntervals(2, 4);

  @Test
  void lossFalls() {
    try (Backend backend = Backends.require("java");
        Model model = Nets.model(Nets.cnn());
        DjlKfac kfac = DjlKfac.attach(model, OPTIONS, Fisher.EMPIRICAL, backend);
        Trainer trainer = model.newTrainer(Nets.config(0.02f))) {
      trainer.initialize(Nets.IMAGES);
      float first = 0;
      float last = 0;
      for (int step = 0; step < 40; step++) {
        try (NDManager batch = trainer.getManager().newSubManager()) {
          last = Nets.pass(trainer, Nets.images(batch, step));
          kfac.precondition();
          trainer.step();
        }
        first = step == 0 ? last : first;
      }
      assertThat(first).isGreaterThan(0.8f);
      assertThat(last).isLessThan(0.2f);
      assertThat(kfac.lastReport().step()).isEqualTo(40);
      assertThat(kfac.lastTimes().precondition()).isPositive();
    }
  }
}
