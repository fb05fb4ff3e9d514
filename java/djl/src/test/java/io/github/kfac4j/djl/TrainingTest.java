package io.github.kfac4j.djl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.core.Linear;
import ai.djl.training.DefaultTrainingConfig;
import ai.djl.training.EasyTrain;
import ai.djl.training.Trainer;
import ai.djl.training.dataset.Batch;
import ai.djl.training.dataset.Dataset;
import ai.djl.translate.TranslateException;
import io.github.kfac4j.Kfac;
import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.Backends;
import io.github.kfac4j.fisher.Fisher;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.safetensors.StoredTensor;
import java.io.IOException;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Steps and their numbers. */
class TrainingTest {
  private static final KfacOptions OPTIONS =
      KfacOptions.DEFAULT.withoutKlClip().withDamping(0.03).withIntervals(2, 4);

  private final Backend backend = Backends.require("java");

  @AfterEach
  void close() {
    backend.close();
  }

  private static Fisher fisher(boolean sampled) {
    return sampled ? Fisher.monteCarlo(3) : Fisher.EMPIRICAL;
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void lossFalls(boolean sampled) {
    try (Model model = Nets.model(Nets.cnn());
        DjlKfac kfac = DjlKfac.attach(model, OPTIONS, fisher(sampled), backend);
        Trainer trainer = model.newTrainer(Nets.config(0.02f))) {
      trainer.initialize(Nets.IMAGES);
      float first = Nets.step(trainer, kfac, 0);
      float last = 0;
      for (int step = 1; step < 40; step++) {
        last = Nets.step(trainer, kfac, step);
      }
      assertThat(first).isGreaterThan(0.8f);
      assertThat(last).isLessThan(0.2f);
      assertThat(kfac.lastReport().orElseThrow().step()).isEqualTo(40);
    }
  }

  @Test
  void normalisationsTrainWithTheRest() {
    try (Model model = Nets.model(Nets.normalised());
        DjlKfac kfac = DjlKfac.attach(model, OPTIONS, Fisher.EMPIRICAL, backend);
        Trainer trainer = model.newTrainer(Nets.config(0.02f))) {
      trainer.initialize(Nets.IMAGES);
      float first = Nets.step(trainer, kfac, 0);
      float last = 0;
      NDManager all = model.getNDManager().getParentManager();
      int arrays = 0;
      for (int step = 1; step < 40; step++) {
        last = Nets.step(trainer, kfac, step);
        arrays = step == 4 ? all.getManagedArrays().size() : arrays;
      }
      assertThat(all.getManagedArrays()).hasSize(arrays); // nothing is kept
      assertThat(kfac.layers()).hasSize(5);
      assertThat(last).isLessThan(0.3f * first);
    }
  }

  @Test
  void microBatchesAddUpToTheWholeBatch() {
    float[][] results = new float[2][];
    for (int parts = 1; parts <= 2; parts++) {
      try (Model model = Nets.model(Nets.cnn());
          DjlKfac kfac = DjlKfac.attach(model, OPTIONS, Fisher.EMPIRICAL, backend);
          Trainer trainer = model.newTrainer(Nets.config(0.02f))) {
        kfac.setMicroBatches(parts);
        trainer.initialize(Nets.IMAGES);
        for (int step = 0; step < 6; step++) {
          try (NDManager batch = trainer.getManager().newSubManager()) {
            NDList data = Nets.images(batch, step);
            for (int part = 0; part < parts; part++) {
              String rows = "%d:%d".formatted(part * 32 / parts, (part + 1) * 32 / parts);
              Nets.pass(trainer, new NDList(data.get(0).get(rows), data.get(1).get(rows)));
            }
            kfac.precondition();
            trainer.step();
          }
        }
        results[parts - 1] = Nets.weights(model).get("04Linear_weight");
        if (parts == 2) {
          Nets.pass(trainer, Nets.images(trainer.getManager(), 1));
          assertThatIllegalStateException()
              .isThrownBy(kfac::precondition)
              .withMessageContaining("a step has 2 micro-batches, but there were 1 passes");
        }
      }
    }
    for (int i = 0; i < results[0].length; i++) {
      assertThat(results[1][i]).isCloseTo(results[0][i], within(2e-4f));
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void listenerAndHandWrittenLoopGiveTheSameWeights(boolean sampled)
      throws IOException, TranslateException {
    assertThat(train(true, sampled)).usingRecursiveComparison().isEqualTo(train(false, sampled));
  }

  private Map<String, float[]> train(boolean easy, boolean sampled)
      throws IOException, TranslateException {
    DefaultTrainingConfig config = Nets.config(0.02f);
    try (Model model = Nets.model(Nets.cnn());
        DjlKfac kfac = DjlKfac.attach(model, OPTIONS, fisher(sampled), backend)) {
      if (easy) {
        config.addTrainingListeners(kfac);
      }
      try (Trainer trainer = model.newTrainer(config)) {
        trainer.initialize(Nets.IMAGES);
        Dataset data = Nets.dataset(trainer.getManager());
        if (easy) {
          EasyTrain.fit(trainer, 2, data, data);
        } else {
          for (int epoch = 0; epoch < 2; epoch++) {
            for (Batch batch : trainer.iterateDataset(data)) {
              Nets.pass(trainer, new NDList(batch.getData().head(), batch.getLabels().head()));
              kfac.precondition();
              trainer.step();
              batch.close();
            }
          }
        }
        assertThat(kfac.lastReport().orElseThrow().step()).isEqualTo(6);
        return Nets.weights(model);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void resumedRunContinuesBitByBit(boolean sampled) {
    Map<String, float[]> weights;
    Map<String, StoredTensor> state;
    Map<String, float[]> expected;
    try (Model model = Nets.model(Nets.cnn());
        DjlKfac kfac = DjlKfac.attach(model, OPTIONS, fisher(sampled), backend);
        Trainer trainer = model.newTrainer(Nets.config(0.02f, 0))) {
      trainer.initialize(Nets.IMAGES);
      for (int step = 0; step < 3; step++) {
        Nets.step(trainer, kfac, step);
      }
      weights = Nets.weights(model);
      state = ((Kfac) kfac.kfac()).state().toTensors();
      for (int step = 3; step < 7; step++) {
        Nets.step(trainer, kfac, step);
      }
      expected = Nets.weights(model);
    }
    try (Model model = Nets.model(Nets.cnn());
        DjlKfac kfac = DjlKfac.attach(model, OPTIONS, fisher(sampled), backend);
        Trainer trainer = model.newTrainer(Nets.config(0.02f, 0))) {
      trainer.initialize(Nets.IMAGES);
      for (var entry : model.getBlock().getParameters()) {
        NDArray array = entry.getValue().getArray();
        array.toByteBuffer(true).asFloatBuffer().put(weights.get(entry.getKey()));
      }
      ((Kfac) kfac.kfac()).state().restore(state);
      for (int step = 3; step < 7; step++) {
        Nets.step(trainer, kfac, step);
      }
      assertThat(Nets.weights(model)).usingRecursiveComparison().isEqualTo(expected);
    }
  }

  /** Two passes over the same data double the gradient, and so the preconditioned gradient. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void gradientsAddUpOverPasses(boolean sampled) {
    float[] once = preconditioned(1, sampled);
    float[] twice = preconditioned(2, sampled);
    for (int i = 0; i < once.length; i++) {
      assertThat(twice[i]).isCloseTo(2 * once[i], within(1e-5f));
    }
  }

  private float[] preconditioned(int passes, boolean sampled) {
    try (Model model = Nets.model(Nets.cnn());
        DjlKfac kfac = DjlKfac.attach(model, OPTIONS, fisher(sampled), backend);
        Trainer trainer = model.newTrainer(Nets.config(0.02f));
        NDManager manager = trainer.getManager().newSubManager()) {
      trainer.initialize(Nets.IMAGES);
      for (int i = 0; i < passes; i++) {
        Nets.pass(trainer, Nets.images(manager, 1));
      }
      kfac.precondition();
      return Nets.gradient(model.getBlock().getParameters().get("04Linear_weight"));
    }
  }

  /** For one linear layer g = p - onehot(y), A = mean of a a' and G = mean of g g'. */
  @Test
  void empiricalFactorsAreThoseOfTheSummedLoss() {
    Linear linear = Linear.builder().setUnits(3).optBias(false).build();
    try (Model model = Nets.model(linear);
        DjlKfac kfac = DjlKfac.attach(model, OPTIONS, Fisher.EMPIRICAL, backend);
        Trainer trainer = model.newTrainer(Nets.config(0.02f));
        NDManager manager = trainer.getManager().newSubManager()) {
      Shape shape = new Shape(4, 5);
      trainer.initialize(shape);
      NDArray x = manager.randomNormal(shape);
      NDArray y = manager.create(new float[] {0, 2, 1, 2});
      Nets.pass(trainer, new NDList(x, y));
      kfac.precondition();
      NDArray p = trainer.evaluate(new NDList(x)).singletonOrThrow().softmax(-1);
      NDArray g = p.sub(y.oneHot(3));
      assertMatrix(
          ((Kfac) kfac.kfac()).state().inputFactor("Linear"), x.transpose().matMul(x).div(4));
      assertMatrix(
          ((Kfac) kfac.kfac()).state().outputFactor("Linear"), g.transpose().matMul(g).div(4));
    }
  }

  private static void assertMatrix(double[] actual, NDArray expected) {
    float[] values = expected.toFloatArray();
    assertThat(actual).hasSameSizeAs(values);
    for (int i = 0; i < values.length; i++) {
      assertThat(actual[i]).isCloseTo(values[i], within(1e-5));
    }
  }
}
