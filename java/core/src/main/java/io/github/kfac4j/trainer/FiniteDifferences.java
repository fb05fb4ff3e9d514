package io.github.kfac4j.trainer;

import io.github.kfac4j.fisher.OutputLoss;
import io.github.kfac4j.tensor.HostTensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.DoubleSupplier;
import java.util.function.Supplier;

/**
 * A batch of a trainer that has no Jacobian-vector products: they are central differences of the
 * outputs, {@code J d = (f(W + h d) - f(W - h d)) / 2h}, two forward passes a direction. h moves
 * the weights by 1e-3 of their norm, 1e-5 in fp64, where the error of the difference is about as
 * large as that of rounding: expect three correct digits, seven in fp64. The weights are moved in
 * place and put back bit by bit. The passes must draw nothing: no dropout.
 */
public final class FiniteDifferences implements BatchFunction {
  private final Map<String, HostTensor> weights;
  private final Supplier<HostTensor> outputs;
  private final DoubleSupplier loss;
  private final OutputLoss distribution;

  /**
   * A batch.
   *
   * @param weights views of the trainer's weights, by name
   * @param outputs runs the network on the batch: {@code [N, ...]}, a copy
   * @param loss runs the network on the batch and returns its mean loss
   * @param distribution the loss as a distribution at the outputs
   */
  public FiniteDifferences(
      Map<String, HostTensor> weights,
      Supplier<HostTensor> outputs,
      DoubleSupplier loss,
      OutputLoss distribution) {
    this.weights = weights;
    this.outputs = outputs;
    this.loss = loss;
    this.distribution = distribution;
  }

  @Override
  public double loss() {
    return loss.getAsDouble();
  }

  @Override
  public double[][] curvature(List<Map<String, HostTensor>> directions) {
    HostTensor at = outputs.get();
    Map<String, HostTensor> saved = Tensors.copy(weights);
    List<double[]> products = new ArrayList<>();
    try {
      for (Map<String, HostTensor> direction : directions) {
        products.add(product(direction, saved, at.size()));
      }
    } finally {
      Tensors.combine(weights, 0, saved, 1);
    }
    double[][] curvature = new double[products.size()][products.size()];
    for (int i = 0; i < products.size(); i++) {
      for (int j = 0; j <= i; j++) {
        curvature[i][j] = distribution.curvature(at, products.get(i), products.get(j));
        curvature[j][i] = curvature[i][j];
      }
    }
    return curvature;
  }

  private double[] product(
      Map<String, HostTensor> direction, Map<String, HostTensor> saved, int size) {
    double length = Math.sqrt(Tensors.dot(direction, direction));
    double norm = Math.sqrt(Tensors.dot(saved, saved));
    if (!(length > 0)) {
      return new double[size];
    }
    boolean fp64 = saved.values().stream().allMatch(HostTensor::isDouble);
    double h = (fp64 ? 1e-5 : 1e-3) * (norm > 0 ? norm : 1) / length;
    double[] above = moved(direction, saved, h);
    double[] below = moved(direction, saved, -h);
    for (int i = 0; i < size; i++) {
      above[i] = (above[i] - below[i]) / (2 * h);
    }
    return above;
  }

  private double[] moved(
      Map<String, HostTensor> direction, Map<String, HostTensor> saved, double h) {
    Tensors.combine(weights, 0, saved, 1);
    Tensors.combine(weights, 1, direction, h);
    return outputs.get().toArray();
  }
}
