package io.github.kfac4j.experiments.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.Backends;
import io.github.kfac4j.experiments.TinyData;
import io.github.kfac4j.experiments.data.Dataset;
import io.github.kfac4j.experiments.data.DatasetName;
import io.github.kfac4j.experiments.data.Datasets;
import io.github.kfac4j.experiments.options.Goal;
import io.github.kfac4j.experiments.options.ModelName;
import io.github.kfac4j.experiments.options.OptimizerName;
import io.github.kfac4j.experiments.options.Recipe;
import io.github.kfac4j.experiments.options.RunOptions;
import io.github.kfac4j.experiments.options.Workload;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Training with what regularises it. */
class RecipeTrainingTest {
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
}
