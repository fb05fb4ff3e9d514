package io.github.kfac4j.djl;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Model;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.training.DefaultTrainingConfig;
import ai.djl.training.EasyTrain;
import ai.djl.training.Trainer;
import ai.djl.training.dataset.Batch;
import ai.djl.training.dataset.Dataset;
import ai.djl.training.listener.TrainingListener;
import ai.djl.training.listener.TrainingListenerAdapter;
import ai.djl.translate.TranslateException;
import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.Backends;
import io.github.kfac4j.fisher.Fisher;
import io.github.kfac4j.fisher.OutputLoss;
import io.github.kfac4j.options.Intervals;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.testkit.EveryOption;
import io.github.kfac4j.trainer.UpdateRule;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Every setting of K-FAC through every way to use it. */
class EveryOptionTest {
  private static final int STEPS = 6; // two epochs of three batches

  private final Backend backend = Backends.require("java");

  @AfterEach
  void close() {
    backend.close();
  }

  enum Entry {
    LOOP,
    LISTENER,
    RULE_IN_A_LOOP,
    RULE_AS_LISTENER
  }

  private static Map<String, KfacOptions> options() {
    return EveryOption.all("04Linear", STEPS);
  }

  @Test
  void everySettingIsTried() {
    assertThat(EveryOption.untried(options())).isEmpty();
  }

  static Stream<Arguments> all() {
    List<Arguments> all = new ArrayList<>();
    options()
        .forEach(
            (name, options) -> {
              for (Entry entry : Entry.values()) {
                all.add(Arguments.of(name, entry, options));
              }
            });
    return all.stream();
  }

  @ParameterizedTest(name = "{0}, {1}")
  @MethodSource("all")
  void trains(String name, Entry entry, KfacOptions options)
      throws IOException, TranslateException {
    Map<String, float[]> before = new LinkedHashMap<>();
    try (Model model = Nets.model(Nets.cnn())) {
      List<Map<String, float[]>> weights = train(model, entry, options);
      before.putAll(weights.get(0));
      boolean still = options.intervals().burnIn() >= STEPS;
      weights
          .get(1)
          .forEach(
              (layer, w) -> {
                for (float x : w) {
                  assertThat(x).isFinite();
                }
                if (still) {
                  assertThat(w).as(layer).isEqualTo(before.get(layer));
                } else {
                  assertThat(w).as(layer).isNotEqualTo(before.get(layer));
                }
              });
    }
  }

  /** The weights before and after two epochs. */
  private List<Map<String, float[]>> train(
      Model model, Entry entry, KfacOptions options, TrainingListener... before)
      throws IOException, TranslateException {
    DefaultTrainingConfig config = Nets.config(0.02f).addTrainingListeners(before);
    UpdateRule rule = UpdateRule.of(0.02, 0.9, options.damping());
    try (DjlKfac kfac = DjlKfac.attach(model, options, Fisher.EMPIRICAL, backend)) {
      DjlKfacOptimizer optimizer =
          new DjlKfacOptimizer(kfac, rule, config.getLossFunction(), OutputLoss.SOFTMAX);
      if (entry == Entry.LISTENER) {
        config.addTrainingListeners(kfac);
      } else if (entry == Entry.RULE_AS_LISTENER) {
        config.optOptimizer(optimizer.placeholder()).addTrainingListeners(optimizer);
      }
      try (Trainer trainer = model.newTrainer(config);
          NDManager manager = trainer.getManager().newSubManager()) {
        trainer.initialize(Nets.IMAGES);
        Map<String, float[]> first = Nets.weights(model);
        Dataset data = Nets.dataset(manager);
        if (entry == Entry.LISTENER || entry == Entry.RULE_AS_LISTENER) {
          EasyTrain.fit(trainer, 2, data, null);
        } else {
          for (int epoch = 0; epoch < 2; epoch++) {
            for (Batch batch : trainer.iterateDataset(data)) {
              Nets.pass(trainer, new NDList(batch.getData().head(), batch.getLabels().head()));
              if (entry == Entry.LOOP) {
                kfac.precondition();
                trainer.step();
              } else {
                optimizer.step(batch.getData(), batch.getLabels());
              }
              batch.close();
            }
          }
        }
        assertThat(kfac.lastReport().orElseThrow().step()).isEqualTo(STEPS);
        assertThat(kfac.kfac().options().estimator()).isEqualTo(Fisher.Estimator.EMPIRICAL);
        return List.of(first, Nets.weights(model));
      }
    }
  }

  /** After a burn-in of two steps the third is the first that moves anything. */
  @ParameterizedTest
  @EnumSource(
      value = Entry.class,
      names = {"LOOP", "RULE_IN_A_LOOP"})
  void burnInGathersStatisticsAndMovesNothing(Entry entry) {
    KfacOptions options = EveryOption.BASE.withIntervals(Intervals.of(1, 1).withBurnIn(2));
    try (Model model = Nets.model(Nets.normalised());
        DjlKfac kfac =
            DjlKfac.attach(model, options, Fisher.EMPIRICAL, backend, "01Conv2d", "02BatchNorm");
        Trainer trainer = model.newTrainer(Nets.config(0.02f))) {
      trainer.initialize(Nets.IMAGES);
      DjlKfacOptimizer optimizer =
          new DjlKfacOptimizer(
              kfac, UpdateRule.of(0.02, 0.9, 0.1), trainer.getLoss(), OutputLoss.SOFTMAX);
      Map<String, float[]> before = trained(model);
      for (int step = 0; step < 3; step++) {
        NDList data = Nets.images(trainer.getManager(), step);
        Nets.pass(trainer, data);
        if (entry == Entry.LOOP) {
          kfac.precondition();
          trainer.step();
        } else {
          optimizer.step(new NDList(data.get(0)), new NDList(data.get(1)));
        }
        boolean moves = step == 2;
        trained(model)
            .forEach(
                (name, w) -> {
                  if (moves) {
                    assertThat(w).as(name).isNotEqualTo(before.get(name));
                  } else {
                    assertThat(w).as(name).isEqualTo(before.get(name));
                  }
                });
      }
      assertThat(kfac.lastReport().orElseThrow().step()).isEqualTo(3);
    }
  }

  /** The same where {@link EasyTrain} runs the loop. */
  @ParameterizedTest
  @EnumSource(
      value = Entry.class,
      names = {"LISTENER", "RULE_AS_LISTENER"})
  void burnInMovesNothingInEasyTrain(Entry entry) throws IOException, TranslateException {
    KfacOptions options = EveryOption.BASE.withIntervals(Intervals.of(1, 1).withBurnIn(2));
    List<Map<String, float[]>> seen = new ArrayList<>();
    try (Model model = Nets.model(Nets.cnn())) {
      TrainingListener recorder =
          new TrainingListenerAdapter() {
            @Override
            public void onTrainingBatch(Trainer trainer, BatchData batch) {
              seen.add(Nets.weights(model)); // before K-FAC and the optimizer
            }
          };
      train(model, entry, options, recorder);
      seen.add(Nets.weights(model));
    }
    assertThat(seen).hasSize(STEPS + 1);
    for (String name : seen.get(0).keySet()) {
      for (int step = 1; step <= STEPS; step++) {
        float[] before = seen.get(step - 1).get(name);
        if (step <= 2) {
          assertThat(seen.get(step).get(name)).as("step %d, %s", step, name).isEqualTo(before);
        } else {
          assertThat(seen.get(step).get(name)).as("step %d, %s", step, name).isNotEqualTo(before);
        }
      }
    }
  }

  private static Map<String, float[]> trained(Model model) {
    Map<String, float[]> weights = Nets.weights(model);
    for (var entry : model.getBlock().getParameters()) {
      if (!entry.getValue().requiresGradient()) {
        weights.remove(entry.getKey());
      }
    }
    return weights;
  }
}
