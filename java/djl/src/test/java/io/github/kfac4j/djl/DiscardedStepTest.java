package io.github.kfac4j.djl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Model;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.training.Trainer;
import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.Backends;
import io.github.kfac4j.fisher.Fisher;
import io.github.kfac4j.fisher.OutputLoss;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.trainer.UpdateRule;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A bad batch can be dropped at any point of a step. */
class DiscardedStepTest {
  private static final KfacOptions OPTIONS =
      KfacOptions.DEFAULT.withDamping(0.03).withDecay(0.5).withIntervals(1, 2);

  private final Backend backend = Backends.require("java");

  @AfterEach
  void close() {
    backend.close();
  }

  /** Where the step with the bad batch ends. */
  enum Point {
    NOWHERE,
    AFTER_FORWARD,
    AFTER_BACKWARD,
    AFTER_A_REFUSED_PRECONDITION,
    AFTER_A_REFUSED_UPDATE,
    IN_THE_FIRST_MICRO_BATCH,
    BETWEEN_MICRO_BATCHES,
    AFTER_UNEQUAL_MICRO_BATCHES
  }

  @ParameterizedTest
  @EnumSource(Point.class)
  void theNextStepsAreThoseOfARunWithoutIt(Point point) {
    for (int micro = 1; micro <= 2; micro++) {
      for (boolean sampled : new boolean[] {false, true}) {
        Map<String, float[]> expected = train(Point.NOWHERE, micro, sampled);
        Map<String, float[]> actual = train(point, micro, sampled);
        expected.forEach(
            (name, w) -> assertThat(actual.get(name)).as(point + " " + name).isEqualTo(w));
      }
    }
  }

  private Map<String, float[]> train(Point point, int micro, boolean sampled) {
    Fisher fisher = sampled ? Fisher.monteCarlo(2) : Fisher.EMPIRICAL;
    try (Model model = Nets.model(Nets.cnn());
        DjlKfac kfac = DjlKfac.attach(model, OPTIONS, fisher, backend);
        Trainer trainer = model.newTrainer(Nets.config(0.02f, 0))) {
      trainer.initialize(Nets.IMAGES);
      DjlKfacOptimizer optimizer =
          new DjlKfacOptimizer(
              kfac, UpdateRule.of(0.02, 0, 0.03), trainer.getLoss(), OutputLoss.SOFTMAX);
      kfac.setMicroBatches(micro);
      for (int step = 0; step < 4; step++) {
        if (step == 0 || step == 2) {
          try (NDManager bad = trainer.getManager().newSubManager()) {
            badStep(point, trainer, kfac, optimizer, bad, micro, sampled);
          }
        }
        for (int part = 0; part < micro; part++) {
          Nets.pass(trainer, part(Nets.images(trainer.getManager(), step), part, micro));
        }
        kfac.precondition();
        trainer.step();
      }
      return Nets.weights(model);
    }
  }

  private static NDList part(NDList data, int part, int parts) {
    String rows = "%d:%d".formatted(part * Nets.BATCH / parts, (part + 1) * Nets.BATCH / parts);
    return new NDList(data.get(0).get(rows), data.get(1).get(rows));
  }

  private static void badStep(
      Point point,
      Trainer trainer,
      DjlKfac kfac,
      DjlKfacOptimizer optimizer,
      NDManager manager,
      int micro,
      boolean sampled) {
    NDList good = Nets.images(manager, 77);
    NDList bad = Nets.images(manager, 78);
    bad.head().toByteBuffer(true).asFloatBuffer().put(17, Float.NaN);
    switch (point) {
      case NOWHERE -> {
        return;
      }
      case AFTER_FORWARD -> {
        try (var collector = trainer.newGradientCollector()) {
          assertThat(collector).isNotNull();
          trainer.forward(new NDList(good.head()));
        }
      }
      case AFTER_BACKWARD -> Nets.pass(trainer, good);
      case AFTER_A_REFUSED_PRECONDITION, AFTER_A_REFUSED_UPDATE -> {
        assertThatThrownBy(
                () -> {
                  for (int part = 0; part < micro; part++) {
                    Nets.pass(trainer, bad);
                  }
                  if (point == Point.AFTER_A_REFUSED_UPDATE) {
                    optimizer.step(new NDList(bad.get(0)), new NDList(bad.get(1)));
                  } else {
                    kfac.precondition();
                  }
                })
            .isInstanceOf(RuntimeException.class);
      }
      case IN_THE_FIRST_MICRO_BATCH -> {
        kfac.setMicroBatches(2);
        if (sampled) { // which observes in the forward pass
          assertThatThrownBy(() -> Nets.pass(trainer, bad)).hasMessageContaining("discardStep()");
        } else {
          Nets.pass(trainer, bad);
        }
      }
      case BETWEEN_MICRO_BATCHES -> {
        kfac.setMicroBatches(3);
        Nets.pass(trainer, good);
        Nets.pass(trainer, good);
      }
      case AFTER_UNEQUAL_MICRO_BATCHES -> {
        kfac.setMicroBatches(3);
        Nets.pass(trainer, part(good, 0, 2));
        Nets.pass(trainer, part(good, 0, 4));
        Nets.pass(trainer, part(good, 1, 4));
      }
    }
    kfac.discardStep();
    kfac.discardStep(); // does no harm
    kfac.setMicroBatches(micro);
  }

  @Test
  void theErrorNamesTheCall() {
    try (Model model = Nets.model(Nets.cnn());
        DjlKfac kfac = DjlKfac.attach(model, OPTIONS, Fisher.EMPIRICAL, backend);
        Trainer trainer = model.newTrainer(Nets.config(0.02f))) {
      kfac.discardStep(); // nor before there is anything
      trainer.initialize(Nets.IMAGES);
      kfac.setMicroBatches(2);
      NDList bad = Nets.images(trainer.getManager(), 1);
      bad.head().toByteBuffer(true).asFloatBuffer().put(17, Float.NaN);
      Nets.pass(trainer, bad);
      assertThatThrownBy(() -> Nets.pass(trainer, bad))
          .hasMessageContainingAll("layer '01Conv2d'", "NaN", "discardStep()");
      kfac.discardStep();
      for (int part = 0; part < 2; part++) {
        Nets.pass(trainer, Nets.images(trainer.getManager(), 1));
      }
      assertThat(kfac.precondition().step()).isEqualTo(1);
    }
  }
}
