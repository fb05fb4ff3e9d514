package io.github.kfac4j.experiments.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.nn.norm.BatchNorm;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.Backends;
import io.github.kfac4j.experiments.BadInputException;
import io.github.kfac4j.experiments.TinyData;
import io.github.kfac4j.experiments.data.Dataset;
import io.github.kfac4j.experiments.data.DatasetName;
import io.github.kfac4j.experiments.data.Datasets;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What regularises training, against definitions. */
class RecipeTest {
  private static NDArray random(NDManager manager, int seed, long... shape) {
    Random random = new Random(seed);
    float[] values = new float[(int) new Shape(shape).size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian() + 1;
    }
    return manager.create(values, new Shape(shape));
  }

  /** Sixty-four images are normalised as two batches of 32, one after the other. */
  @Test
  void ghostBatchNormOfTwiceTheBatchIsThatOfTwoBatches() {
    try (NDManager manager = NDManager.newBaseManager(Device.cpu(), "PyTorch")) {
      NDArray x = random(manager, 1, 64, 3, 4, 4);
      Block ghost = new GhostBatchNorm(32);
      Block plain = BatchNorm.builder().build();
      for (Block block : List.of(ghost, plain)) {
        block.initialize(manager, DataType.FLOAT32, new Shape(64, 3, 4, 4));
      }
      ParameterStore store = new ParameterStore(manager, false);
      NDArray together = ghost.forward(store, new NDList(x), true).singletonOrThrow();
      NDArray first = plain.forward(store, new NDList(x.get("0:32")), true).singletonOrThrow();
      NDArray second = plain.forward(store, new NDList(x.get("32:64")), true).singletonOrThrow();
      assertThat(together.get("0:32").sub(first).abs().max().getFloat()).isLessThan(1e-6f);
      assertThat(together.get("32:64").sub(second).abs().max().getFloat()).isLessThan(1e-6f);
      List<NDArray> statistics =
          List.of(ghost, plain).stream()
              .flatMap(block -> block.getParameters().values().stream())
              .filter(parameter -> !parameter.requiresGradient())
              .map(parameter -> parameter.getArray())
              .toList();
      assertThat(statistics).hasSize(4);
      for (int i = 0; i < 2; i++) {
        assertThat(statistics.get(i).sub(statistics.get(i + 2)).abs().max().getFloat())
            .isLessThan(1e-6f);
      }
    }
  }

  /** Loss and gradient of {@code -sum q log p}, q = (1 - e) onehot + e / K: p - q over N. */
  @Test
  void labelSmoothingIsItsClosedForm() {
    double spread = 0.1;
    int n = 5;
    int classes = 4;
    try (NDManager manager = NDManager.newBaseManager(Device.cpu(), "PyTorch")) {
      NDArray logits = random(manager, 2, n, classes);
      logits.setRequiresGradient(true);
      float[] labels = {0, 3, 1, 1, 2};
      NDArray loss;
      try (GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector()) {
        loss =
            Task.CLASSIFICATION
                .loss(new Recipe(spread, false, false))
                .evaluate(new NDList(manager.create(labels)), new NDList(logits));
        collector.backward(loss);
      }
      float[] z = logits.toFloatArray();
      float[] gradient = logits.getGradient().toFloatArray();
      double expected = 0;
      for (int i = 0; i < n; i++) {
        double sum = 0;
        for (int k = 0; k < classes; k++) {
          sum += Math.exp(z[i * classes + k]);
        }
        for (int k = 0; k < classes; k++) {
          double p = Math.exp(z[i * classes + k]) / sum;
          double q = spread / classes + (k == (int) labels[i] ? 1 - spread : 0);
          expected -= q * Math.log(p) / n;
          // fp32: a few roundings of numbers up to 1
          assertThat((double) gradient[i * classes + k]).isCloseTo((p - q) / n, within(1e-6));
        }
      }
      assertThat((double) loss.getFloat()).isCloseTo(expected, within(1e-6 * expected));
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"SGD", "ADAM", "KFAC", "EKFAC", "DIAGONAL"})
  void channelsHaveNormOneAfterEachStep(OptimizerName optimizer, @TempDir Path directory)
      throws IOException {
    Dataset data = Datasets.load(DatasetName.MNIST, Optional.of(TinyData.write(directory)));
    RunOptions usual = RunOptions.defaults(ModelName.RESNET8);
    RunOptions options =
        new RunOptions(
            new Workload(DatasetName.MNIST, null, ModelName.RESNET8),
            List.of(optimizer),
            "java",
            20,
            3,
            Goal.NONE,
            usual.hyperparameters(),
            new Recipe(0.1, true, false),
            1,
            3,
            0);
    try (Backend backend = Backends.require("java");
        Training training = new Training(optimizer, options, data, backend, Team.ALONE)) {
      for (int step = 0; step < 3; step++) {
        training.step();
        Map<String, double[]> norms = norms(training.checkpoint());
        assertThat(norms).hasSize(7);
        norms.forEach(
            (name, each) -> {
              for (double norm : each) {
                assertThat(norm).as(name).isCloseTo(1, within(1e-6));
              }
            });
      }
    }
  }

  /** In batches of several ghosts, every normalisation is used several times in a pass. */
  @ParameterizedTest
  @EnumSource(names = {"RESNET20", "VGG11"})
  void kfacTrainsNetworksWithGhostBatchNorm(ModelName model, @TempDir Path directory)
      throws IOException {
    Dataset data = Datasets.load(DatasetName.MNIST, Optional.of(TinyData.write(directory)));
    RunOptions usual = RunOptions.defaults(model);
    RunOptions options =
        new RunOptions(
            new Workload(DatasetName.MNIST, null, model),
            List.of(OptimizerName.KFAC),
            "java",
            80,
            12,
            Goal.NONE,
            usual.hyperparameters(),
            Recipe.USUAL,
            1,
            12,
            0);
    try (Backend backend = Backends.best();
        Training training = new Training(OptimizerName.KFAC, options, data, backend, Team.ALONE)) {
      double first = training.step().loss();
      double last = first;
      for (int step = 1; step < 12; step++) {
        last = training.step().loss();
      }
      assertThat(last).isLessThan(0.8 * first);
      assertThat(training.evaluate().loss()).isFinite();
    }
  }

  /** Of the channels of every convolution. */
  private static Map<String, double[]> norms(Checkpoint checkpoint) {
    Map<String, double[]> all = new LinkedHashMap<>();
    checkpoint
        .weights()
        .forEach(
            (name, tensor) -> {
              if (tensor.shape().length == 4) {
                double[] values = tensor.toDoubles();
                int out = (int) tensor.shape()[0];
                double[] norms = new double[out];
                for (int i = 0; i < values.length; i++) {
                  norms[i / (values.length / out)] += values[i] * values[i];
                }
                all.put(name, java.util.Arrays.stream(norms).map(Math::sqrt).toArray());
              }
            });
    return all;
  }

  @Test
  void theUsualRecipeIsThatOfThePapers() {
    assertThat(Recipe.USUAL.complete(ModelName.SIMPLE_CNN, 1))
        .isEqualTo(new Recipe(0.0, false, false));
    assertThat(Recipe.USUAL.complete(ModelName.RESNET8, 3)).isEqualTo(new Recipe(0.0, false, true));
    assertThat(Recipe.USUAL.complete(ModelName.RESNET32, 3)).isEqualTo(new Recipe(0.1, true, true));
    assertThat(new Recipe(null, false, null).complete(ModelName.VGG11, 1))
        .isEqualTo(new Recipe(0.1, false, false));
  }

  @Test
  void refusesWhatHasNoMeaning() {
    assertThatThrownBy(() -> new Recipe(1.0, null, null))
        .isInstanceOf(BadInputException.class)
        .hasMessage("--label-smoothing must be in [0, 1), got 1.0");
    assertThatThrownBy(() -> new Recipe(null, null, true).require(ModelName.AUTOENCODER))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("--augment: autoencoder reconstructs its images");
  }
}
