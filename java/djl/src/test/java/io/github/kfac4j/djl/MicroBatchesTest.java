package io.github.kfac4j.djl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.training.GradientCollector;
import ai.djl.training.Trainer;
import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.Backends;
import io.github.kfac4j.fisher.Fisher;
import io.github.kfac4j.fisher.OutputLoss;
import io.github.kfac4j.options.Approximation;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.trainer.UpdateRule;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Steps of several passes, and losses that are scaled. */
class MicroBatchesTest {
  private static final KfacOptions OPTIONS =
      KfacOptions.DEFAULT.withoutKlClip().withDamping(0.03).withDecay(0.7).withIntervals(1, 2);

  private final Backend backend = Backends.require("java");

  @AfterEach
  void close() {
    backend.close();
  }

  @ParameterizedTest
  @CsvSource({
    "KRONECKER, 24;32",
    "KRONECKER, 2;32",
    "KRONECKER, 20;24;32",
    "DIAGONAL, 4;10;32",
    "DIAGONAL, 24;32",
    "KRONECKER, 8;16;24;32"
  })
  void unequalMicroBatchesAddUpToTheWholeBatch(Approximation approximation, String ends) {
    KfacOptions options = OPTIONS.withApproximation(approximation);
    float[] expected = train(options, "32");
    float[] actual = train(options, ends);
    // fp32 sums in another order, three steps of them, amplified by at most 1 / damping
    for (int i = 0; i < expected.length; i++) {
      assertThat(actual[i]).isCloseTo(expected[i], within(2e-4f));
    }
  }

  private float[] train(KfacOptions options, String ends) {
    try (Model model = Nets.model(Nets.cnn());
        DjlKfac kfac = DjlKfac.attach(model, options, Fisher.EMPIRICAL, backend);
        Trainer trainer = model.newTrainer(Nets.config(0.02f))) {
      String[] parts = ends.split(";");
      kfac.setMicroBatches(parts.length);
      trainer.initialize(Nets.IMAGES);
      for (int step = 0; step < 3; step++) {
        NDList data = Nets.images(trainer.getManager(), step);
        int start = 0;
        for (String end : parts) {
          String rows = start + ":" + end;
          Nets.pass(trainer, new NDList(data.get(0).get(rows), data.get(1).get(rows)));
          start = Integer.parseInt(end);
        }
        kfac.precondition();
        trainer.step();
      }
      return Nets.weights(model).get("04Linear_weight");
    }
  }

  /** A power of two changes no digit. */
  @ParameterizedTest
  @ValueSource(strings = {"KRONECKER", "EKFAC", "DIAGONAL"})
  void theScaleOfTheLossDoesNotReachTheFactors(Approximation approximation) {
    KfacOptions options = OPTIONS.withApproximation(approximation);
    float[] expected = scaled(options, 1, true);
    assertThat(scaled(options, 1024, true)).isEqualTo(expected);
    assertThat(scaled(options, 1024, false)).isEqualTo(expected);
  }

  private float[] scaled(KfacOptions options, double scale, boolean before) {
    try (Model model = Nets.model(Nets.cnn());
        DjlKfac kfac = DjlKfac.attach(model, options, Fisher.EMPIRICAL, backend);
        Trainer trainer = model.newTrainer(Nets.config(0.02f))) {
      trainer.initialize(Nets.IMAGES);
      kfac.setLossScale(scale);
      for (int step = 0; step < 3; step++) {
        NDList data = Nets.images(trainer.getManager(), step);
        try (GradientCollector collector = trainer.newGradientCollector()) {
          NDArray output = trainer.forward(new NDList(data.get(0))).head();
          NDArray loss =
              trainer.getLoss().evaluate(new NDList(data.get(1)), new NDList(output)).mul(scale);
          collector.backward(loss);
        }
        if (before) {
          unscale(model, scale);
        }
        kfac.precondition();
        if (!before) {
          unscale(model, scale);
        }
        trainer.step();
      }
      return Nets.weights(model).get("04Linear_weight");
    }
  }

  private static void unscale(Model model, double scale) {
    for (var entry : model.getBlock().getParameters()) {
      try (NDArray gradient = entry.getValue().getArray().getGradient()) {
        gradient.divi(scale);
      }
    }
  }

  @Test
  void aLossScaleMustBePositive() {
    try (Model model = Nets.model(Nets.cnn());
        DjlKfac kfac = DjlKfac.attach(model, OPTIONS, Fisher.EMPIRICAL, backend)) {
      assertThatThrownBy(() -> kfac.setLossScale(0))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("the loss scale must be positive but is 0.0");
    }
  }

  @Test
  void twoForwardPassesBeforeABackwardPassAreNoticed() {
    try (Model model = Nets.model(Nets.cnn());
        DjlKfac kfac = DjlKfac.attach(model, OPTIONS, Fisher.EMPIRICAL, backend);
        Trainer trainer = model.newTrainer(Nets.config(0.02f))) {
      trainer.initialize(Nets.IMAGES);
      NDList data = new NDList(Nets.images(trainer.getManager(), 0).head());
      for (int step = 0; step < 2; step++) {
        try (GradientCollector collector = trainer.newGradientCollector()) {
          NDArray one = trainer.forward(data).head();
          assertThat(kfac.step().neutral().lostForward()).isEqualTo(step > 0);
          NDArray two = trainer.forward(new NDList(data.head().mul(2))).head();
          assertThat(kfac.step().neutral().lostForward()).isTrue();
          collector.backward(one.sub(two).square().mean());
        }
        kfac.precondition();
        trainer.step();
      }
    }
  }

  @Test
  void twoMicroBatchesWithOneBackwardPassAreRefused() {
    try (Model model = Nets.model(Nets.cnn());
        DjlKfac kfac = DjlKfac.attach(model, OPTIONS, Fisher.EMPIRICAL, backend);
        Trainer trainer = model.newTrainer(Nets.config(0.02f))) {
      trainer.initialize(Nets.IMAGES);
      kfac.setMicroBatches(2);
      NDList data = new NDList(Nets.images(trainer.getManager(), 2).head());
      assertThatThrownBy(
              () -> {
                try (GradientCollector collector = trainer.newGradientCollector()) {
                  assertThat(collector).isNotNull();
                  trainer.forward(data);
                  trainer.forward(data);
                }
              })
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContainingAll("the next forward pass", "discardStep()");
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aMicroBatchThatIsMissingCanStillBeRun(boolean ownRule) {
    float[] expected = interrupted(ownRule, 2, false);
    assertThat(interrupted(ownRule, 2, true)).isEqualTo(expected);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aBackwardPassThatIsMissingCanStillBeRun(boolean ownRule) {
    float[] expected = interrupted(ownRule, 1, false);
    assertThat(interrupted(ownRule, 1, true)).isEqualTo(expected);
  }

  private float[] interrupted(boolean ownRule, int count, boolean early) {
    try (Model model = Nets.model(Nets.cnn());
        DjlKfac kfac = DjlKfac.attach(model, OPTIONS, Fisher.EMPIRICAL, backend);
        Trainer trainer = model.newTrainer(Nets.config(0.02f))) {
      trainer.initialize(Nets.IMAGES);
      UpdateRule rule = UpdateRule.of(0.02, 0.9, 0.03);
      DjlKfacOptimizer optimizer =
          new DjlKfacOptimizer(kfac, rule, trainer.getLoss(), OutputLoss.SOFTMAX);
      kfac.setMicroBatches(count);
      for (int step = 0; step < 3; step++) {
        NDList data = Nets.images(trainer.getManager(), step);
        NDList labels = new NDList(data.get(1));
        Runnable update =
            () -> {
              if (ownRule) {
                optimizer.step(new NDList(data.get(0)), labels);
              } else {
                kfac.precondition();
              }
            };
        for (int part = 0; part < count; part++) {
          try (GradientCollector collector = trainer.newGradientCollector()) {
            NDList output = trainer.forward(new NDList(data.get(0)));
            if (early && part == 0) {
              assertThatThrownBy(update::run).isInstanceOf(IllegalStateException.class);
            }
            collector.backward(trainer.getLoss().evaluate(labels, output));
          }
        }
        update.run();
        if (!ownRule) {
          trainer.step();
        }
      }
      return Nets.weights(model).get("04Linear_weight");
    }
  }
}
