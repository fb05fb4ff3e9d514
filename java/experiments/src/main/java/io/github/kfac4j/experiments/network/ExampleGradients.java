package io.github.kfac4j.experiments.network;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.training.GradientCollector;
import io.github.kfac4j.experiments.data.BatchReader;
import io.github.kfac4j.experiments.data.Dataset;
import io.github.kfac4j.experiments.data.Images;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Gradients of the loss of single examples, one for each layer: {@code [outputs, inputs]} in fp64,
 * the bias as the last column. Of a network in evaluation mode: what normalises uses its running
 * statistics.
 */
public final class ExampleGradients {
  private final Network network;
  private final List<String> layers;
  private final BatchReader reader;
  private final byte[] labels;

  /** Of the training images of a data set, in layers of these names. */
  public ExampleGradients(Network network, List<String> layers, Dataset data) {
    this.network = network;
    this.layers = layers;
    reader = BatchReader.evaluation(data, data.train(), 1);
    labels = ((Images) data.train()).labels();
  }

  public int label(int image) {
    return labels[image];
  }

  /** The probability of each class by the network. */
  public double[] probabilities(int image) {
    try (NDManager scope = network.manager().newSubManager()) {
      NDArray logits = network.outputs(batch(image, scope)).toType(DataType.FLOAT64, false);
      return logits.softmax(1).toDoubleArray();
    }
  }

  /** The gradients for a label; the arrays are owned by {@code scope}. */
  public Map<String, NDArray> of(int image, int label, NDManager scope) {
    try (NDManager pass = network.manager().newSubManager();
        GradientCollector collector = Engine.getInstance().newGradientCollector()) {
      NDArray logits = network.outputs(batch(image, pass));
      collector.backward(logits.logSoftmax(1).get(0, label).neg());
    }
    Map<String, NDArray> gradients = new LinkedHashMap<>();
    for (String layer : layers) {
      gradients.put(layer, matrix(layer, scope));
    }
    network.clearGradients();
    return gradients;
  }

  private Network.Batch batch(int image, NDManager scope) {
    reader.read(new int[] {image}, 0);
    return network.batch(reader, scope);
  }

  private NDArray matrix(String layer, NDManager scope) {
    try (NDArray weight = network.parameters().get(layer + "_weight").getGradient()) {
      NDArray rows = fp64(weight, scope).reshape(weight.getShape().get(0), -1);
      NDArray parameter = network.parameters().get(layer + "_bias");
      if (parameter == null) {
        return rows;
      }
      try (NDArray bias = parameter.getGradient()) {
        return rows.concat(fp64(bias, scope).reshape(-1, 1), 1);
      }
    }
  }

  private static NDArray fp64(NDArray array, NDManager scope) {
    NDArray copy = array.toType(DataType.FLOAT64, true);
    copy.attach(scope);
    return copy;
  }
}
