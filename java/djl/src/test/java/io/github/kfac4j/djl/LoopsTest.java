package io.github.kfac4j.djl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import ai.djl.Model;
import ai.djl.metric.Metrics;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.training.DefaultTrainingConfig;
import ai.djl.training.EasyTrain;
import ai.djl.training.GradientCollector;
import ai.djl.training.Trainer;
import ai.djl.translate.TranslateException;
import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.Backends;
import io.github.kfac4j.fisher.Fisher;
import io.github.kfac4j.options.KfacOptions;
import java.io.IOException;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Training loops as programs have them. */
class LoopsTest {
  private static final KfacOptions OPTIONS =
      KfacOptions.DEFAULT.withoutKlClip().withDamping(0.03).withIntervals(1, 2);

  private final Backend backend = Backends.require("java");

  @AfterEach
  void close() {
    backend.close();
  }

  /** What a loop says of its micro-batches. */
  private enum Said {
    MEANS,
    DIVIDED,
    FOUR_OF_WHICH_TWO_COME,
    FOUR_DIVIDED_OF_WHICH_TWO_COME
  }

  /** Weights after steps of two passes each. */
  private Map<String, float[]> accumulate(Said said, boolean sampled) {
    Fisher fisher = sampled ? Fisher.monteCarlo(1) : Fisher.EMPIRICAL;
    try (Model model = Nets.model(Nets.cnn());
        DjlKfac kfac = DjlKfac.attach(model, OPTIONS, fisher, backend);
        Trainer trainer = model.newTrainer(Nets.config(0.02f))) {
      trainer.initialize(Nets.IMAGES);
      for (int step = 0; step < 3; step++) {
        double divisor =
            switch (said) {
              case MEANS, FOUR_OF_WHICH_TWO_COME -> 1;
              case DIVIDED -> 2;
              case FOUR_DIVIDED_OF_WHICH_TWO_COME -> 4;
            };
        switch (said) {
          case MEANS -> kfac.setMicroBatches(2);
          case DIVIDED -> kfac.setDividedMicroBatches(2);
          case FOUR_OF_WHICH_TWO_COME -> kfac.setMicroBatches(4);
          case FOUR_DIVIDED_OF_WHICH_TWO_COME -> kfac.setDividedMicroBatches(4);
        }
        for (int part = 0; part < 2; part++) {
          NDList data = Nets.images(trainer.getManager(), 2 * step + part);
          try (GradientCollector collector = trainer.newGradientCollector()) {
            NDList output = trainer.forward(new NDList(data.get(0)));
            NDArray loss = trainer.getLoss().evaluate(new NDList(data.get(1)), output);
            collector.backward(loss.div(divisor));
          }
        }
        if (said == Said.FOUR_OF_WHICH_TWO_COME) {
          kfac.setMicroBatches(2);
        } else if (said == Said.FOUR_DIVIDED_OF_WHICH_TWO_COME) {
          kfac.setDividedMicroBatches(2);
          for (var parameter : model.getBlock().getParameters().values()) {
            try (NDArray gradient = parameter.getArray().getGradient()) {
              gradient.muli(2); // the loop's own business: half of the losses are missing
            }
          }
        }
        kfac.precondition();
        trainer.step();
      }
      return Nets.weights(model);
    }
  }

  /** Powers of two change no digit. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void lossesThatAreDividedAndStepsThatAreNotCompleteGiveTheSame(boolean sampled) {
    Map<String, float[]> expected = accumulate(Said.MEANS, sampled);
    for (Said said : Said.values()) {
      // random numbers are counted by the micro-batches that were announced
      if (!sampled || said == Said.MEANS || said == Said.DIVIDED) {
        Map<String, float[]> actual = accumulate(said, sampled);
        expected.forEach((name, w) -> assertThat(actual.get(name)).as(said + name).isEqualTo(w));
      }
    }
  }

  @Test
  void aStepCannotHaveFewerMicroBatchesThanPasses() {
    try (Model model = Nets.model(Nets.cnn());
        DjlKfac kfac = DjlKfac.attach(model, OPTIONS, Fisher.EMPIRICAL, backend);
        Trainer trainer = model.newTrainer(Nets.config(0.02f))) {
      trainer.initialize(Nets.IMAGES);
      kfac.setMicroBatches(4);
      Nets.pass(trainer, Nets.images(trainer.getManager(), 1));
      Nets.pass(trainer, Nets.images(trainer.getManager(), 2));
      assertThatIllegalArgumentException()
          .isThrownBy(() -> kfac.setMicroBatches(1))
          .withMessage("this step has had 2 passes and cannot have 1 micro-batches");
      kfac.setMicroBatches(2);
      assertThat(kfac.precondition().step()).isEqualTo(1);
    }
  }

  /** Where a loop sees that the loss is NaN. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aStepIsDroppedInsideOfItsGradientCollector(boolean afterBackward) {
    try (Model model = Nets.model(Nets.cnn());
        DjlKfac kfac = DjlKfac.attach(model, OPTIONS, Fisher.EMPIRICAL, backend);
        Trainer trainer = model.newTrainer(Nets.config(0.02f))) {
      trainer.initialize(Nets.IMAGES);
      NDList data = Nets.images(trainer.getManager(), 1);
      Map<String, float[]> before = Nets.weights(model);
      try (GradientCollector collector = trainer.newGradientCollector()) {
        NDList output = trainer.forward(new NDList(data.get(0).mul(Float.NaN)));
        NDArray loss = trainer.getLoss().evaluate(new NDList(data.get(1)), output);
        if (afterBackward) {
          collector.backward(loss);
        }
        assertThat(loss.getFloat()).isNaN();
        kfac.discardStep();
      }
      before.forEach((name, w) -> assertThat(Nets.weights(model).get(name)).isEqualTo(w));
      Nets.step(trainer, kfac, 1);
      assertThat(kfac.lastReport().orElseThrow().step()).isEqualTo(1);
      Nets.weights(model).values().forEach(w -> assertThat(w).doesNotContain(Float.NaN));
    }
  }

  @Test
  void aListenerThatIsClosedDoesNothing() throws IOException, TranslateException {
    DefaultTrainingConfig config = Nets.config(0.02f);
    try (Model model = Nets.model(Nets.cnn());
        NDManager manager = NDManager.newBaseManager()) {
      DjlKfac kfac = DjlKfac.attach(model, OPTIONS, Fisher.EMPIRICAL, backend);
      config.addTrainingListeners(kfac);
      try (Trainer trainer = model.newTrainer(config)) {
        trainer.initialize(Nets.IMAGES);
        EasyTrain.fit(trainer, 1, Nets.dataset(manager), null);
        kfac.close();
        EasyTrain.fit(trainer, 1, Nets.dataset(manager), null);
        assertThat(kfac.lastReport().orElseThrow().step()).isEqualTo(3);
      }
      assertThatIllegalStateException()
          .isThrownBy(kfac::precondition)
          .withMessage("K-FAC is closed: attach it again");
      try (Trainer trainer = model.newTrainer(config)) {
        EasyTrain.fit(trainer, 1, Nets.dataset(manager), null);
      }
    }
  }

  @Test
  void timesAndClipAreAmongTheMetricsOfTheTrainer() throws IOException, TranslateException {
    DefaultTrainingConfig config = Nets.config(0.02f);
    try (Model model = Nets.model(Nets.cnn());
        NDManager manager = NDManager.newBaseManager();
        DjlKfac kfac = DjlKfac.attach(model, OPTIONS, Fisher.EMPIRICAL, backend)) {
      config.addTrainingListeners(kfac);
      Metrics metrics = new Metrics();
      assertThatIllegalStateException().isThrownBy(() -> kfac.addTo(metrics));
      try (Trainer trainer = model.newTrainer(config)) {
        trainer.setMetrics(metrics);
        trainer.initialize(Nets.IMAGES);
        EasyTrain.fit(trainer, 1, Nets.dataset(manager), null);
      }
      for (String name :
          new String[] {"kfac-sample", "kfac-observe", "kfac-refresh", "kfac-precondition"}) {
        assertThat(metrics.getMetric(name)).as(name).hasSize(3);
      }
      assertThat(metrics.getMetric("kfac-clip").get(2).getValue().doubleValue()).isEqualTo(1);
      assertThat(metrics.getMetric("kfac-observe").get(0).getValue().doubleValue()).isPositive();
    }
  }
}
