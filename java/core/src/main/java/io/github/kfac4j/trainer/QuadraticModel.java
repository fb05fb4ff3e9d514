package io.github.kfac4j.trainer;

import io.github.kfac4j.tensor.HostTensor;
import java.util.List;
import java.util.Map;

/**
 * The change of the loss that curvature predicts, along up to two directions: {@code M(c) = -c'b +
 * c'Cc / 2} for the update {@code W -= c_1 d_1 + c_2 d_2}, where {@code b_i = <gradient, d_i>} and
 * {@code C_ij = d_i' (F + (lambda + eta) I) d_j} (Martens and Grosse 2015, sections 6.4 and 7).
 *
 * @param slope b
 * @param curvature C, symmetric
 */
public record QuadraticModel(double[] slope, double[][] curvature) {
  /** Below this share of the diagonal's product the determinant counts as 0. */
  private static final double DEPENDENT = 1e-12;

  /**
   * The model of a batch.
   *
   * @param directions one or two, by parameter
   * @param gradient of the loss, weight decay included
   * @param damping lambda with the L2 coefficient
   * @param batch gives the curvature
   */
  static QuadraticModel of(
      List<Map<String, HostTensor>> directions,
      Map<String, HostTensor> gradient,
      double damping,
      BatchFunction batch) {
    int n = directions.size();
    double[] slope = new double[n];
    double[][] curvature = batch.curvature(directions);
    for (int i = 0; i < n; i++) {
      slope[i] = Tensors.dot(gradient, directions.get(i));
      for (int j = 0; j < n; j++) {
        curvature[i][j] += damping * Tensors.dot(directions.get(i), directions.get(j));
      }
    }
    return new QuadraticModel(slope, curvature);
  }

  /** M at the given coefficients. */
  public double at(double... c) {
    double value = 0;
    for (int i = 0; i < slope.length; i++) {
      value -= c[i] * slope[i];
      for (int j = 0; j < slope.length; j++) {
        value += 0.5 * c[i] * curvature[i][j] * c[j];
      }
    }
    return value;
  }

  /**
   * The coefficients of the minimum. Where the second direction is zero or parallel to the first
   * one, its coefficient is 0; where there is no curvature, so are all.
   */
  public double[] minimum() {
    double[] c = new double[slope.length];
    if (slope.length == 2) {
      double a = curvature[0][0];
      double b = curvature[0][1];
      double d = curvature[1][1];
      double determinant = a * d - b * b;
      if (determinant > DEPENDENT * a * d) {
        c[0] = (d * slope[0] - b * slope[1]) / determinant;
        c[1] = (a * slope[1] - b * slope[0]) / determinant;
        return c;
      }
    }
    if (curvature[0][0] > 0) {
      c[0] = slope[0] / curvature[0][0];
    }
    return c;
  }
}
