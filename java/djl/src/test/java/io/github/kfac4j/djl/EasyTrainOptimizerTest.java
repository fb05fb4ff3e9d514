package io.github.kfac4j.djl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Model;
import ai.djl.ndarray.NDList;
import ai.djl.training.DefaultTrainingConfig;
import ai.djl.training.EasyTrain;
import ai.djl.training.Trainer;
import ai.djl.training.dataset.Batch;
import ai.djl.training.dataset.Dataset;
import ai.djl.translate.TranslateException;
import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.Backends;
import io.github.kfac4j.fisher.Fisher;
import io.github.kfac4j.fisher.OutputLoss;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.trainer.DampingRule.LevenbergMarquardt;
import io.github.kfac4j.trainer.Rates;
import io.github.kfac4j.trainer.UpdateRule;
import java.io.IOException;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class EasyTrainOptimizerTest {
  private static final KfacOptions OPTIONS = KfacOptions.DEFAULT.withIntervals(2, 4);

  /** Asks for the loss, and for the batch. */
  private static final UpdateRule RULE =
      UpdateRule.of(0.02, 0.9, 0.03)
          .withRates(Rates.quadraticMinimumWithMomentum())
          .withDamping(new LevenbergMarquardt(1, 2, 0.95, 1e-8, 1e3, 0));

  private final Backend backend = Backends.require("java");

  @AfterEach
  void close() {
    backend.close();
  }

  @Test
  void easyTrainAndAHandWrittenLoopGiveTheSameWeights() throws IOException, TranslateException {
    Map<String, float[]> expected = train(false);
    train(true).forEach((name, w) -> assertThat(w).as(name).isEqualTo(expected.get(name)));
  }

  private Map<String, float[]> train(boolean easy) throws IOException, TranslateException {
    DefaultTrainingConfig config = Nets.config(0.5f);
    try (Model model = Nets.model(Nets.cnn());
        DjlKfac kfac = DjlKfac.attach(model, OPTIONS, Fisher.EMPIRICAL, backend)) {
      DjlKfacOptimizer optimizer =
          new DjlKfacOptimizer(kfac, RULE, config.getLossFunction(), OutputLoss.SOFTMAX);
      if (easy) {
        config.optOptimizer(optimizer.placeholder()).addTrainingListeners(optimizer);
      }
      try (Trainer trainer = model.newTrainer(config)) {
        trainer.initialize(Nets.IMAGES);
        Dataset data = Nets.dataset(trainer.getManager());
        if (easy) {
          EasyTrain.fit(trainer, 2, data, data);
          assertThat(optimizer.lastReport().orElseThrow().step()).isEqualTo(6);
          assertThat(optimizer.steps()).isEqualTo(6);
          return Nets.weights(model);
        }
        for (int epoch = 0; epoch < 2; epoch++) {
          for (Batch batch : trainer.iterateDataset(data)) {
            Nets.pass(trainer, new NDList(batch.getData().head(), batch.getLabels().head()));
            optimizer.step(batch.getData(), batch.getLabels());
            batch.close();
          }
        }
        return Nets.weights(model);
      }
    }
  }

  @Test
  void trainingGoesOnAfterABatchThatFails() throws IOException, TranslateException {
    DefaultTrainingConfig config = Nets.config(0.5f);
    try (Model model = Nets.model(Nets.cnn());
        DjlKfac kfac = DjlKfac.attach(model, OPTIONS, Fisher.EMPIRICAL, backend)) {
      DjlKfacOptimizer optimizer =
          new DjlKfacOptimizer(kfac, RULE, config.getLossFunction(), OutputLoss.SOFTMAX);
      config.optOptimizer(optimizer.placeholder()).addTrainingListeners(optimizer);
      try (Trainer trainer = model.newTrainer(config)) {
        trainer.initialize(Nets.IMAGES);
        int count = 0;
        for (Batch batch : trainer.iterateDataset(Nets.dataset(trainer.getManager()))) {
          if (count++ == 1) {
            batch.getData().head().muli(Float.NaN);
            assertThatThrownBy(() -> EasyTrain.trainBatch(trainer, batch))
                .hasMessageContaining("NaN");
            kfac.discardStep();
          } else {
            EasyTrain.trainBatch(trainer, batch);
            trainer.step();
          }
          batch.close();
        }
        assertThat(optimizer.steps()).isEqualTo(count - 1);
      }
    }
  }

  /** As the listener that it is around. */
  @Test
  void afterCloseItDoesNothing() throws IOException, TranslateException {
    DefaultTrainingConfig config = Nets.config(0.5f);
    try (Model model = Nets.model(Nets.cnn())) {
      DjlKfac kfac = DjlKfac.attach(model, OPTIONS, Fisher.EMPIRICAL, backend);
      DjlKfacOptimizer optimizer =
          new DjlKfacOptimizer(kfac, RULE, config.getLossFunction(), OutputLoss.SOFTMAX);
      config.optOptimizer(optimizer.placeholder()).addTrainingListeners(optimizer);
      try (Trainer trainer = model.newTrainer(config)) {
        trainer.initialize(Nets.IMAGES);
        Dataset data = Nets.dataset(trainer.getManager());
        EasyTrain.fit(trainer, 1, data, null);
        kfac.close();
        Map<String, float[]> before = Nets.weights(model);
        EasyTrain.fit(trainer, 1, data, null);
        Nets.weights(model)
            .forEach((name, w) -> assertThat(w).as(name).isEqualTo(before.get(name)));
        assertThat(optimizer.steps()).isEqualTo(3);
        assertThat(optimizer.toTensors()).isNotEmpty();
        NDList images = Nets.images(trainer.getManager(), 1);
        Nets.pass(trainer, images);
        assertThatThrownBy(
                () -> optimizer.step(new NDList(images.get(0)), new NDList(images.get(1))))
            .isInstanceOf(IllegalStateException.class)
            .hasMessage("K-FAC is closed: attach it again");
        kfac.discardStep();
      }
    }
  }

  @Test
  void anOptimizerThatStepsOnceMoreIsNoticed() {
    DefaultTrainingConfig config = Nets.config(0.5f);
    try (Model model = Nets.model(Nets.cnn());
        DjlKfac kfac = DjlKfac.attach(model, OPTIONS, Fisher.EMPIRICAL, backend)) {
      DjlKfacOptimizer optimizer =
          new DjlKfacOptimizer(kfac, RULE, config.getLossFunction(), OutputLoss.SOFTMAX);
      assertThat(optimizer.steps()).isZero();
      assertThatThrownBy(optimizer::weights).hasMessageContaining("initialize the model first");
      config.addTrainingListeners(optimizer);
      try (Trainer trainer = model.newTrainer(config)) {
        trainer.initialize(Nets.IMAGES);
        Dataset data = Nets.dataset(trainer.getManager());
        assertThatThrownBy(() -> EasyTrain.fit(trainer, 1, data, null))
            .isInstanceOf(IllegalStateException.class)
            .hasMessageContaining("placeholder()");
      }
    }
  }
}
