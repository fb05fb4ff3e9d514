package io.github.kfac4j.experiments.curvature;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.github.kfac4j.KfacState;
import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.DecomposeRequest;
import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.backend.Status;
import io.github.kfac4j.experiments.BadInputException;
import io.github.kfac4j.experiments.data.Dataset;
import io.github.kfac4j.experiments.network.ExampleGradients;
import io.github.kfac4j.experiments.network.Network;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Measures the curvature of a network in the eigenbasis of K-FAC's factors (Zhang et al., 2019,
 * figures 9 and 10): the Fisher exactly, as a mean over all classes by their probability, and the
 * covariance of gradients for the labels of the data.
 */
final class CurvatureProbe {
  private final ExampleGradients gradients;
  private final KfacState state;
  private final List<String> layers;
  private final Backend backend;
  private final NDManager manager;

  /** Of a network in evaluation mode, with the factors that were measured in its training. */
  CurvatureProbe(
      Network network, KfacState state, List<String> layers, Dataset data, Backend backend) {
    this.gradients = new ExampleGradients(network, layers, data);
    this.state = state;
    this.layers = layers;
    this.backend = backend;
    this.manager = network.manager();
  }

  /** Looks at the first training images. */
  List<LayerCurvature> measure(int examples) {
    try (NDManager scope = manager.newSubManager()) {
      Map<String, Directions> all = new LinkedHashMap<>();
      for (String layer : layers) {
        all.put(layer, new Directions(layer, scope));
      }
      for (int image = 0; image < examples; image++) {
        add(all, image, examples);
      }
      return all.values().stream().map(directions -> directions.result(examples)).toList();
    }
  }

  private void add(Map<String, Directions> all, int image, int examples) {
    double[] p = gradients.probabilities(image);
    for (int label = 0; label < p.length; label++) {
      try (NDManager pass = manager.newSubManager()) {
        double weight = p[label] / examples;
        boolean real = label == gradients.label(image);
        gradients
            .of(image, label, pass)
            .forEach((layer, gradient) -> all.get(layer).add(gradient, weight, real));
      }
    }
  }

  /** An eigendecomposition: values ascending, vectors as columns. */
  private record Eigen(double[] values, double[] vectors) {
    static Eigen of(Backend backend, double[] matrix, String name) {
      int n = (int) Math.round(Math.sqrt(matrix.length));
      if (n * n != matrix.length) {
        throw new BadInputException("the spectrum of grouped layers is not known: " + name);
      }
      try (MatrixStack source = backend.allocate(1, n, n);
          MatrixStack vectors = backend.allocateBasis(1, n, n);
          MatrixStack values = backend.allocateBasis(1, 1, n)) {
        source.set(matrix);
        Status status =
            backend.decompose(List.of(new DecomposeRequest(source, 1, vectors, values))).get(0)[0];
        if (status.kind() != Status.OK.kind()) {
          throw new BadInputException("no eigenvalues of %s: %s".formatted(name, status));
        }
        return new Eigen(values.toArray(), vectors.toArray());
      }
    }
  }

  /** Sums over examples in the directions of one layer. */
  private final class Directions {
    private final String layer;
    private final Eigen a;
    private final Eigen g;
    private final NDArray inputs;
    private final NDArray outputs;
    private final NDArray curvature;
    private final NDArray sum;
    private final NDArray squares;

    Directions(String layer, NDManager scope) {
      this.layer = layer;
      a = Eigen.of(backend, state.inputFactor(layer), layer + ".A");
      g = Eigen.of(backend, state.outputFactor(layer), layer + ".G");
      int rows = g.values.length;
      int columns = a.values.length;
      inputs = scope.create(a.vectors, new Shape(columns, columns));
      outputs = scope.create(g.vectors, new Shape(rows, rows)).transpose();
      curvature = scope.create(new double[rows * columns], new Shape(rows, columns));
      sum = curvature.zerosLike();
      squares = curvature.zerosLike();
    }

    /** A gradient that is of the label of the data, or not. */
    void add(NDArray gradient, double weight, boolean real) {
      NDArray projected = outputs.matMul(gradient.matMul(inputs));
      projected.attach(gradient.getManager());
      NDArray square = projected.square();
      if (real) {
        sum.addi(projected);
        squares.addi(square);
      }
      curvature.addi(square.mul(weight));
      square.close();
      projected.close();
    }

    LayerCurvature result(int examples) {
      double[] mean = sum.div(examples).toDoubleArray();
      double[] second = squares.div(examples).toDoubleArray();
      double[] variance = new double[mean.length];
      Arrays.setAll(variance, i -> Math.max(0, second[i] - mean[i] * mean[i]));
      return new LayerCurvature(
          layer, g.values, g.vectors, a.values, a.vectors, curvature.toDoubleArray(), variance);
    }
  }

  /** The names of layers whose factors have eigenvalues, out of all that K-FAC preconditions. */
  static List<String> layers(KfacState state, List<String> names) {
    List<String> whole = new ArrayList<>();
    for (String name : names) {
      if (state.factors(name).containsAll(List.of("A", "G"))) {
        whole.add(name);
      }
    }
    return whole;
  }
}
