package io.github.kfac4j.experiments.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import io.github.kfac4j.experiments.TinyData;
import io.github.kfac4j.experiments.data.BatchReader;
import io.github.kfac4j.experiments.data.Dataset;
import io.github.kfac4j.experiments.data.DatasetName;
import io.github.kfac4j.experiments.data.Datasets;
import io.github.kfac4j.experiments.options.ModelName;
import io.github.kfac4j.experiments.options.Recipe;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class NetworkTest {
  private static final Recipe PLAIN = new Recipe(0.0, false, false);
  private static Dataset data;

  @BeforeAll
  static void load(@TempDir Path directory) throws IOException {
    data = Datasets.load(DatasetName.MNIST, Optional.of(TinyData.write(directory)));
  }

  private static Network network(ModelName model, long seed) {
    return new Network(model, 10, new Shape(1, 8, 8), PLAIN, seed);
  }

  @ParameterizedTest
  @CsvSource({
    // conv 5x5x32, conv 5x5x64, dense 7*7*64 x 1024, dense 1024 x 10, with biases
    "SIMPLE_CNN, 1, 28, 3274634, 8",
    "SIMPLE_CNN, 3, 32, 4259274, 8",
    "MLP, 1, 28, 269322, 6",
    // convolutions 3x3: 3-16, 16-16, 16-16, 16-32, 32-32, 32-64, 64-64; dense 64 x 10
    "RESNET8, 3, 32, 75050, 16",
    "NARROW_CNN, 1, 28, 105194, 8",
    // 3x3 without bias, scale and shift for each channel: He et al. (2016) state 0.27 and 0.46 M
    "RESNET20, 3, 32, 269722, 59",
    "RESNET32, 3, 32, 464154, 95",
    // 64, 128, 256, 256, 512, 512, 512, 512 filters; dense 512 x 10
    "VGG11, 3, 32, 9228362, 26",
    "VGG11, 1, 28, 9227210, 26",
    // 5x5: 3-64-192; 3x3: 192-384-256-256; dense 256*4*4-1024-1024-10
    "ALEXNET, 3, 32, 7706442, 16",
    "ALEXNET, 1, 28, 7703242, 16",
    // 784-1000-500-250-30-250-500-1000-784
    "AUTOENCODER, 1, 28, 2837314, 16",
  })
  void hasTheParametersOfItsDescription(
      ModelName model, int channels, int side, long count, int arrays) {
    Shape image = new Shape(channels, side, side);
    try (Network network = new Network(model, 10, image, PLAIN, 1)) {
      Map<String, NDArray> parameters = network.parameters();
      assertThat(parameters.keySet()).hasSize(arrays);
      assertThat(parameters.values().stream().mapToLong(NDArray::size).sum()).isEqualTo(count);
    }
  }

  @Test
  void equalSeedsGiveEqualWeights() {
    try (Network one = network(ModelName.MLP, 5);
        Network same = network(ModelName.MLP, 5);
        Network other = network(ModelName.MLP, 6)) {
      one.parameters()
          .forEach(
              (name, w) -> {
                float[] values = w.toFloatArray();
                assertThat(same.parameters().get(name).toFloatArray()).isEqualTo(values);
                if (name.endsWith("weight")) {
                  assertThat(other.parameters().get(name).toFloatArray()).isNotEqualTo(values);
                }
              });
    }
  }

  /** Those on images without batch normalisation, which is another function in validation. */
  @ParameterizedTest
  @EnumSource(
      mode = EnumSource.Mode.EXCLUDE,
      names = {"RESNET20", "RESNET32", "VGG11", "TRANSFORMER", "NARROW_TRANSFORMER"})
  void gradientsAreDerivativesOfTheLoss(ModelName model) {
    try (Network network = network(model, 1)) {
      BatchReader reader = network.task().reader(BatchReader.training(data, 20, false, 1));
      reader.read(java.util.stream.IntStream.range(0, 20).toArray(), 0);
      assertDerivatives(network, reader);
    }
  }

  /** Compares with central differences along the gradient of each parameter. */
  static void assertDerivatives(Network network, BatchReader reader) {
    network.backward(reader);
    Map<String, NDArray> gradients = network.gradients();
    network
        .parameters()
        .forEach(
            (name, w) -> {
              float[] gradient = gradients.get(name).toFloatArray();
              double norm = norm(gradient);
              double step = 3e-3;
              move(w, gradient, step / norm);
              double up = network.evaluate(reader).meanLoss();
              move(w, gradient, -2 * step / norm);
              double down = network.evaluate(reader).meanLoss();
              move(w, gradient, step / norm);
              assertThat((up - down) / (2 * step)).as(name).isCloseTo(norm, within(0.02 * norm));
            });
    gradients.values().forEach(NDArray::close);
  }

  private static double norm(float[] values) {
    double sum = 0;
    for (float value : values) {
      sum += (double) value * value;
    }
    return Math.sqrt(sum);
  }

  private static void move(NDArray array, float[] direction, double factor) {
    FloatBuffer values = array.toByteBuffer(true).asFloatBuffer();
    for (int i = 0; i < direction.length; i++) {
      values.put(i, (float) (values.get(i) + factor * direction[i]));
    }
  }
}
