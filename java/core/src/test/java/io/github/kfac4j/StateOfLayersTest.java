package io.github.kfac4j;

import static io.github.kfac4j.Networks.OPTIONS;
import static io.github.kfac4j.Networks.gaussian;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.kfac4j.backend.Window;
import io.github.kfac4j.layer.Conv1d;
import io.github.kfac4j.layer.ConvTranspose2d;
import io.github.kfac4j.layer.Dense;
import io.github.kfac4j.layer.Embedding;
import io.github.kfac4j.layer.Layer;
import io.github.kfac4j.layer.ScaleShift;
import io.github.kfac4j.layer.ScaleShift.Structure;
import io.github.kfac4j.oracle.JavaBackend;
import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.tensor.Shape;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Saving, loading and resuming for every kind of layer, all in one network. */
class StateOfLayersTest {
  @TempDir Path directory;

  private static Map<String, Layer> layers() {
    Map<String, Layer> layers = new LinkedHashMap<>();
    layers.put("fc", new Dense(4, 3, true));
    layers.put("line", new Conv1d(2, 3, Conv1d.window(2, 1, 0, 1), 1, true));
    Window window = Window.of(2, 2).withStride(2, 2);
    layers.put("up", new ConvTranspose2d(2, 2, window, 1, true));
    layers.put("norm", ScaleShift.of(3));
    layers.put("full", new ScaleShift(3, Structure.FULL, true, false, 2));
    layers.put("table", new Embedding(5, 3));
    return layers;
  }

  private static double[][] step(Kfac kfac, int step) {
    Random random = new Random(step);
    List<Observation> batch = new ArrayList<>();
    batch.add(observation(random, "fc", new int[] {6, 4}, new int[] {6, 3}));
    batch.add(observation(random, "fc", new int[] {6, 4}, new int[] {6, 3}));
    batch.add(observation(random, "line", new int[] {6, 2, 4}, new int[] {6, 3, 3}));
    batch.add(observation(random, "up", new int[] {6, 2, 2, 2}, new int[] {6, 2, 4, 4}));
    batch.add(observation(random, "norm", new int[] {6, 3, 2}, new int[] {6, 3, 2}));
    batch.add(observation(random, "full", new int[] {6, 3}, new int[] {6, 3}));
    double[] ids = random.ints(6, 0, 5).asDoubleStream().toArray();
    HostTensor g = HostTensor.of(gaussian(random, 18), 6, 3);
    batch.add(new Observation("table", HostTensor.of(ids, 6), g, 1));
    batch.add(observation(random, "table", new int[] {6, 3}, new int[] {6, 5}));
    kfac.observe(batch);
    if (kfac.wantsRefresh()) {
      kfac.refresh();
    }
    List<LayerGradient> gradients = new ArrayList<>();
    List<HostTensor> tensors = new ArrayList<>();
    layers()
        .forEach(
            (name, layer) -> {
              HostTensor weight = tensor(random, extents(layer.weightShape()));
              HostTensor bias = layer.bias() ? tensor(random, extents(layer.biasShape())) : null;
              gradients.add(new LayerGradient(name, weight, bias));
              tensors.add(weight);
              if (bias != null) {
                tensors.add(bias);
              }
            });
    kfac.precondition(gradients);
    return tensors.stream().map(HostTensor::toArray).toArray(double[][]::new);
  }

  private static int[] extents(Shape shape) {
    int[] extents = new int[shape.rank()];
    Arrays.setAll(extents, shape::get);
    return extents;
  }

  private static Observation observation(Random random, String name, int[] in, int[] out) {
    return new Observation(name, tensor(random, in), tensor(random, out), 1);
  }

  private static HostTensor tensor(Random random, int... shape) {
    int size = 1;
    for (int extent : shape) {
      size *= extent;
    }
    return HostTensor.of(gaussian(random, size), shape);
  }

  private static Kfac kfac(Approximation approximation) {
    KfacOptions options =
        OPTIONS
            .withDecay(0.9)
            .withIntervals(1, 2)
            .withApproximation(approximation)
            .withApproximation("table", Approximation.KRONECKER);
    return new Kfac(new JavaBackend(), layers(), options);
  }

  @ParameterizedTest
  @EnumSource(
      value = Approximation.class,
      names = {"KRONECKER", "EKFAC", "DIAGONAL"})
  void aResumedRunContinuesBitByBit(Approximation approximation) throws IOException {
    Path file = directory.resolve("state.safetensors");
    try (Kfac straight = kfac(approximation);
        Kfac resumed = kfac(approximation)) {
      for (int i = 0; i < 5; i++) {
        step(straight, i);
      }
      straight.state().save(file);
      step(resumed, 99);
      resumed.state().load(file);
      assertThat(resumed.state().toTensors()).isEqualTo(straight.state().toTensors());
      for (int i = 5; i < 9; i++) {
        assertThat(step(resumed, i)).isDeepEqualTo(step(straight, i));
      }
    }
  }

  @Test
  void symmetricMatricesAreStoredAsTriangles() {
    try (Kfac kfac = kfac(Approximation.KRONECKER)) {
      step(kfac, 0);
      var tensors = kfac.state().toTensors();
      assertThat(tensors.get("fc.A").shape()).containsExactly(1, 15);
      assertThat(tensors.get("fc.A_inverse").shape()).containsExactly(1, 15);
      assertThat(tensors.get("norm.G").shape()).containsExactly(3, 3);
      assertThat(tensors.get("table.A").shape()).containsExactly(1, 1, 5);
      double[] a = kfac.state().inputFactor("fc");
      assertThat(tensors.get("fc.A").asDoubleBuffer().get(4))
          .isEqualTo(a[2 * 5 + 1] * kfac.state().layers().get("fc").factorWeight);
    }
  }
}
