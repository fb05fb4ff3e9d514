package io.github.kfac4j.experiments.curvature;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.Backends;
import io.github.kfac4j.experiments.TinyData;
import io.github.kfac4j.experiments.data.BatchReader;
import io.github.kfac4j.experiments.data.Dataset;
import io.github.kfac4j.experiments.data.DatasetName;
import io.github.kfac4j.experiments.data.Datasets;
import io.github.kfac4j.experiments.data.Images;
import io.github.kfac4j.experiments.network.Network;
import io.github.kfac4j.experiments.options.Goal;
import io.github.kfac4j.experiments.options.ModelName;
import io.github.kfac4j.experiments.options.OptimizerName;
import io.github.kfac4j.experiments.options.Recipe;
import io.github.kfac4j.experiments.options.RunOptions;
import io.github.kfac4j.experiments.train.Team;
import io.github.kfac4j.experiments.train.Training;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Against the explicit Fisher and covariance of the last layer of a small network, in fp64. */
class CurvatureProbeTest {
  private static final int EXAMPLES = 12;
  private static final int CLASSES = 10;
  private static final int HIDDEN = 256;

  /**
   * Network outputs are fp32, of a few hundred terms each; Fisher entries relative to the largest.
   */
  private static final double TOLERANCE = 1e-6;

  @TempDir private static Path directory;

  @Test
  void curvatureAndVarianceAreThoseOfTheExplicitMatrices() throws Exception {
    Dataset data =
        Datasets.load(DatasetName.MNIST, Optional.of(TinyData.write(directory.resolve("data"))));
    RunOptions usual = RunOptions.defaults(ModelName.MLP);
    RunOptions options =
        new RunOptions(
            usual.workload(),
            List.of(OptimizerName.KFAC),
            "java",
            40,
            3,
            Goal.NONE,
            usual.hyperparameters(),
            Recipe.USUAL,
            1,
            3,
            0);
    try (Backend backend = Backends.require("java");
        Training training = new Training(OptimizerName.KFAC, options, data, backend, Team.ALONE);
        Network probe = training.untrained()) {
      for (int step = 0; step < 3; step++) {
        training.step();
      }
      training.copyWeights(probe);
      List<String> layers =
          CurvatureProbe.layers(training.kfac().state(), training.preconditioned());
      assertThat(layers).hasSize(3);
      List<LayerCurvature> measured =
          new CurvatureProbe(probe, training.kfac().state(), layers.subList(2, 3), data, backend)
              .measure(EXAMPLES);
      compare(measured.get(0), gradients(probe, data), ((Images) data.train()).labels());
      double[] a = training.kfac().state().inputFactor(layers.get(2));
      assertEigen(measured.get(0).inputValues(), measured.get(0).inputVectors(), a);
    }
  }

  /**
   * @param p probabilities of the classes
   * @param h inputs of the last layer, and 1 for the bias
   */
  private record Example(double[] p, double[] h) {
    /** The gradient of -log p[label] with respect to the last layer, row by row. */
    double[] gradient(int label) {
      double[] g = new double[CLASSES * h.length];
      Arrays.setAll(g, i -> (p[i / h.length] - (i / h.length == label ? 1 : 0)) * h[i % h.length]);
      return g;
    }
  }

  private static Example[] gradients(Network network, Dataset data) {
    float[][] w =
        network.parameters().values().stream().map(a -> a.toFloatArray()).toArray(float[][]::new);
    BatchReader reader = BatchReader.evaluation(data, data.train(), 1);
    Example[] examples = new Example[EXAMPLES];
    for (int n = 0; n < EXAMPLES; n++) {
      reader.read(new int[] {n}, 0);
      float[] pixels = new float[((Images) data.train()).imageSize()];
      reader.inputs().asFloatBuffer().get(pixels);
      double[] x = new double[pixels.length];
      Arrays.setAll(x, i -> pixels[i]);
      double[] h1 = relu(dense(w[0], w[1], x));
      double[] h2 = relu(dense(w[2], w[3], h1));
      double[] z = dense(w[4], w[5], h2);
      double sum = Arrays.stream(z).map(Math::exp).sum();
      double[] p = Arrays.stream(z).map(v -> Math.exp(v) / sum).toArray();
      double[] h = Arrays.copyOf(h2, HIDDEN + 1);
      h[HIDDEN] = 1;
      examples[n] = new Example(p, h);
    }
    return examples;
  }

  private static double[] dense(float[] weight, float[] bias, double[] x) {
    double[] y = new double[bias.length];
    for (int i = 0; i < y.length; i++) {
      y[i] = bias[i];
      for (int j = 0; j < x.length; j++) {
        y[i] += weight[i * x.length + j] * x[j];
      }
    }
    return y;
  }

  private static double[] relu(double[] x) {
    return Arrays.stream(x).map(v -> Math.max(0, v)).toArray();
  }

  private static void compare(LayerCurvature measured, Example[] examples, byte[] labels) {
    int size = CLASSES * (HIDDEN + 1);
    assertThat(measured.size()).isEqualTo(size);
    double[][] fisher = new double[size][size];
    double[][] second = new double[size][size];
    double[] mean = new double[size];
    for (int n = 0; n < EXAMPLES; n++) {
      for (int label = 0; label < CLASSES; label++) {
        double[] g = examples[n].gradient(label);
        add(fisher, g, examples[n].p[label] / EXAMPLES);
        if (label == labels[n]) {
          add(second, g, 1.0 / EXAMPLES);
          Arrays.setAll(mean, i -> mean[i] + g[i] / EXAMPLES);
        }
      }
    }
    add(second, mean, -1);
    double top = Arrays.stream(measured.curvature()).max().orElseThrow();
    double most = Arrays.stream(measured.variance()).max().orElseThrow();
    for (int direction = 3; direction < size; direction += 41) {
      double[] v = vector(measured, direction);
      assertThat(measured.curvature()[direction])
          .as("curvature of direction %d", direction)
          .isCloseTo(form(fisher, v), within(TOLERANCE * top));
      assertThat(measured.variance()[direction])
          .as("variance of direction %d", direction)
          .isCloseTo(form(second, v), within(TOLERANCE * most));
    }
  }

  /** The Kronecker product of an eigenvector of G and one of A. */
  private static double[] vector(LayerCurvature layer, int direction) {
    int columns = layer.inputValues().length;
    int rows = layer.outputValues().length;
    double[] v = new double[rows * columns];
    Arrays.setAll(
        v,
        k ->
            layer.outputVectors()[k / columns * rows + direction / columns]
                * layer.inputVectors()[k % columns * columns + direction % columns]);
    return v;
  }

  private static void add(double[][] matrix, double[] g, double weight) {
    for (int i = 0; i < g.length; i++) {
      for (int j = 0; j < g.length; j++) {
        matrix[i][j] += weight * g[i] * g[j];
      }
    }
  }

  private static double form(double[][] matrix, double[] v) {
    double sum = 0;
    for (int i = 0; i < v.length; i++) {
      double row = 0;
      for (int j = 0; j < v.length; j++) {
        row += matrix[i][j] * v[j];
      }
      sum += v[i] * row;
    }
    return sum;
  }

  /** A v = a v for the largest eigenvalue, and the bias is the last coordinate. */
  private static void assertEigen(double[] values, double[] vectors, double[] matrix) {
    int n = values.length;
    double norm = values[n - 1];
    for (int i = 0; i < n; i++) {
      double product = 0;
      for (int j = 0; j < n; j++) {
        product += matrix[i * n + j] * vectors[j * n + n - 1];
      }
      assertThat(product).isCloseTo(norm * vectors[i * n + n - 1], within(1e-10 * norm));
    }
    assertThat(matrix[n * n - 1]).isCloseTo(1, within(1e-6)); // the mean of 1 * 1
  }
}
