package io.github.kfac4j.experiments.network;

import static org.assertj.core.api.Assertions.assertThat;
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
import io.github.kfac4j.experiments.options.Recipe;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Normalisation and losses that regularise training, against definitions. */
class RegularizationTest {
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
}
