package io.github.kfac4j.djl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.training.DefaultTrainingConfig;
import ai.djl.training.Trainer;
import ai.djl.training.loss.Loss;
import ai.djl.training.optimizer.Optimizer;
import ai.djl.training.tracker.FixedPerVarTracker;
import ai.djl.training.tracker.LinearTracker;
import ai.djl.training.tracker.ParameterTracker;
import ai.djl.training.tracker.Tracker;
import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.Backends;
import io.github.kfac4j.data.StepReport;
import io.github.kfac4j.fisher.Fisher;
import io.github.kfac4j.options.KfacOptions;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The KL clip at the learning rate that the trainer uses. */
class ClipTest {
  private static final KfacOptions OPTIONS = KfacOptions.DEFAULT.withIntervals(1, 1);

  private final Backend backend = Backends.require("java");

  @AfterEach
  void close() {
    backend.close();
  }

  private static DefaultTrainingConfig config(Optimizer optimizer) {
    return new DefaultTrainingConfig(Loss.softmaxCrossEntropyLoss())
        .optDevices(new Device[] {Device.cpu()})
        .optOptimizer(optimizer);
  }

  /** Steps with the clip checked against the definition at these rates. */
  private void requireRates(KfacOptions options, Optimizer optimizer, double... rates) {
    try (Model model = Nets.model(Nets.cnn());
        DjlKfac kfac = DjlKfac.attach(model, options, Fisher.EMPIRICAL, backend);
        Trainer trainer = model.newTrainer(config(optimizer))) {
      trainer.initialize(Nets.IMAGES);
      for (int i = 0; i < rates.length; i++) {
        Nets.step(trainer, kfac, i);
        StepReport report = kfac.lastReport().orElseThrow();
        double length = rates[i] * rates[i] * report.innerProduct();
        // the tracker's rates are floats
        assertThat(report.clip())
            .isCloseTo(Math.min(1, Math.sqrt(1e-3 / length)), within(1e-6 * report.clip()));
      }
    }
  }

  @Test
  void theClipFollowsTheTracker() {
    Tracker falling = Tracker.factor().setBaseValue(10f).setFactor(0.1f).build();
    requireRates(OPTIONS, Optimizer.sgd().setLearningRateTracker(falling).build(), 1, 0.1, 0.01);
  }

  /** A rate that was told is that of trainers whose optimizer has none to be read. */
  @Test
  void theTrackerIsTakenBeforeARateThatWasTold() {
    requireRates(
        OPTIONS.withKlClip(1e-3, 77),
        Optimizer.sgd().setLearningRateTracker(Tracker.fixed(0.5f)).build(),
        0.5,
        0.5);
  }

  @Test
  void theClipGoesByTheUpdatesAndTheScaleOfTheOptimizer() {
    Tracker rising = LinearTracker.builder().setBaseValue(0).optSlope(0.25f).build();
    Optimizer optimizer =
        Optimizer.adam()
            .optLearningRateTracker(rising)
            .optBeginNumUpdate(3)
            .setRescaleGrad(2)
            .build();
    requireRates(OPTIONS, optimizer, 2, 2.5);
  }

  @Test
  void theLargestRateOfTheLayersIsTaken() {
    ParameterTracker perLayer = FixedPerVarTracker.builder().setDefaultValue(0.7f).build();
    requireRates(OPTIONS, Optimizer.sgd().setLearningRateTracker(perLayer).build(), 0.7);
  }

  /** An optimizer of the program's own, that tells no rate. */
  private static final class Untold extends Optimizer {
    Untold() {
      super(new Builder());
    }

    private static final class Builder extends OptimizerBuilder<Builder> {
      @Override
      protected Builder self() {
        return this;
      }
    }

    @Override
    public void update(String parameterId, NDArray weight, NDArray gradient) {
      weight.subi(gradient.mul(0.1f));
    }
  }

  @Test
  void withoutARateThereIsNoClipUnlessItIsTold() {
    try (Model model = Nets.model(Nets.cnn());
        DjlKfac kfac = DjlKfac.attach(model, OPTIONS.withKlClip(1e-9), Fisher.EMPIRICAL, backend);
        Trainer trainer = model.newTrainer(config(new Untold()))) {
      trainer.initialize(Nets.IMAGES);
      Nets.step(trainer, kfac, 1);
      assertThat(kfac.lastReport().orElseThrow().clip()).isEqualTo(1);
    }
    requireRates(OPTIONS.withKlClip(1e-3, 3), new Untold(), 3, 3);
  }

  @Test
  void withoutAClipNothingIsClipped() {
    try (Model model = Nets.model(Nets.cnn());
        DjlKfac kfac = DjlKfac.attach(model, OPTIONS.withoutKlClip(), Fisher.EMPIRICAL, backend);
        Trainer trainer = model.newTrainer(Nets.config(100))) {
      trainer.initialize(Nets.IMAGES);
      Nets.step(trainer, kfac, 1);
      assertThat(kfac.lastReport().orElseThrow().clip()).isEqualTo(1);
    }
  }
}
