package io.github.kfac4j.experiments.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import io.github.kfac4j.djl.DjlKfac;
import io.github.kfac4j.experiments.TinyData;
import io.github.kfac4j.experiments.data.BatchReader;
import io.github.kfac4j.experiments.data.Dataset;
import io.github.kfac4j.experiments.data.DatasetName;
import io.github.kfac4j.experiments.data.Datasets;
import io.github.kfac4j.experiments.options.ModelName;
import io.github.kfac4j.experiments.options.Recipe;
import io.github.kfac4j.options.KfacOptions;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TransformerTest {
  private static final Recipe PLAIN = new Recipe(0.0, false, false);
  private static Dataset data;

  @BeforeAll
  static void load(@TempDir Path directory) throws IOException {
    data =
        Datasets.loadText(
            DatasetName.TEXT,
            Optional.of(TinyData.writeText(directory)),
            ModelName.NARROW_TRANSFORMER.text().orElseThrow());
  }

  private static Network narrow() {
    return new Network(ModelName.NARROW_TRANSFORMER, 1024, new Shape(32), PLAIN, 1);
  }

  @ParameterizedTest
  @CsvSource({
    // table 32768 x 512, once; in each layer four of 512 x 512 and two of 512 x 2048 with biases;
    // scale and shift of five normalisations
    "TRANSFORMER, 32768, 23078912",
    "NARROW_TRANSFORMER, 1024, 165120",
  })
  void hasTheParametersOfItsDescription(ModelName model, int vocabulary, long count) {
    try (Network network = new Network(model, vocabulary, new Shape(8), PLAIN, 1)) {
      Map<String, NDArray> parameters = network.parameters();
      assertThat(parameters).hasSize(1 + 2 * (4 + 4 + 4) + 2);
      assertThat(parameters.values().stream().mapToLong(NDArray::size).sum()).isEqualTo(count);
    }
  }

  @Test
  void kfacReachesEveryParameter() {
    try (Network network = narrow();
        DjlKfac kfac = DjlKfac.attach(network.model(), KfacOptions.DEFAULT)) {
      assertThat(kfac.unsupportedLayers()).isEmpty();
      assertThat(kfac.layers()).hasSize(1 + 2 * 8 + 1);
    }
  }

  @Test
  void beginsWithTheEntropyOfItsVocabulary() {
    try (Network network = narrow()) {
      BatchReader reader = read(20);
      Network.Result result = network.evaluate(reader);
      assertThat(result.count()).isEqualTo(20 * 32);
      assertThat(result.meanLoss()).isCloseTo(Math.log(1024) + 0.5, within(0.3));
    }
  }

  @Test
  void predictionsDependOnWhatCameBeforeAlone() {
    try (Network network = narrow();
        NDManager scope = network.manager().newSubManager()) {
      BatchReader reader = read(1);
      float[] before = network.outputs(network.batch(reader, scope)).toFloatArray();
      FloatBuffer tokens = reader.inputs().asFloatBuffer();
      tokens.put(20, (tokens.get(20) + 1) % 1024);
      float[] after = network.outputs(network.batch(reader, scope)).toFloatArray();
      for (int t = 0; t < 32; t++) {
        double change = 0;
        for (int v = 0; v < 1024; v++) {
          change += Math.abs(after[t * 1024 + v] - before[t * 1024 + v]);
        }
        if (t < 20) {
          assertThat(change).as("position %d", t).isLessThan(1e-2);
        } else {
          assertThat(change).as("position %d", t).isGreaterThan(1);
        }
      }
    }
  }

  @Test
  void gradientsAreDerivativesOfTheLoss() {
    try (Network network = narrow()) {
      NetworkTest.assertDerivatives(network, read(20));
    }
  }

  /** What the passes share lies in memory that is the collector's if nothing holds it. */
  @ParameterizedTest
  @ValueSource(doubles = {0, 0.1})
  void gradientsDoNotDependOnTheCollector(double smoothing) {
    Recipe recipe = new Recipe(smoothing, false, false);
    Shape example = new Shape(32);
    try (Network network = new Network(ModelName.NARROW_TRANSFORMER, 1024, example, recipe, 1)) {
      Map<String, float[]> quiet = gradients(network, () -> {});
      gradients(network, TransformerTest::collect)
          .forEach((name, values) -> assertThat(values).as(name).isEqualTo(quiet.get(name)));
    }
  }

  private static Map<String, float[]> gradients(Network network, Runnable between) {
    try (NDManager scope = network.manager().newSubManager()) {
      Network.Batch batch = network.batch(read(4), scope);
      ParameterStore store = new ParameterStore(network.manager(), false);
      try (GradientCollector collector = Engine.getInstance().newGradientCollector()) {
        NDList outputs = network.model().getBlock().forward(store, batch.inputs(), true);
        NDArray loss = network.trainingLoss().evaluate(batch.targets(), outputs);
        between.run();
        collector.backward(loss);
      }
    }
    Map<String, float[]> values = new HashMap<>();
    network
        .gradients()
        .forEach(
            (name, gradient) -> {
              values.put(name, gradient.toFloatArray());
              gradient.close();
            });
    network.clearGradients();
    return values;
  }

  /** Collects, and takes the memory that becomes free. */
  private static void collect() {
    List<ByteBuffer> taken = new ArrayList<>();
    for (int round = 0; round < 5; round++) {
      System.gc();
      for (int i = 0; i < 2_000; i++) {
        ByteBuffer buffer = ByteBuffer.allocateDirect(Double.BYTES);
        taken.add(buffer.putLong(0, -1)); // NaN
      }
    }
    assertThat(taken).hasSize(10_000);
  }

  private static BatchReader read(int count) {
    BatchReader reader = BatchReader.training(data, count, false, 1);
    reader.read(java.util.stream.IntStream.range(0, count).toArray(), 0);
    return reader;
  }
}
