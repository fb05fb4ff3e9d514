package io.github.kfac4j.fisher;

import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.tensor.Shape;
import java.util.random.RandomGenerator;

/**
 * A loss as the negative log likelihood of a distribution whose parameters are the network's
 * outputs: what targets the network itself would predict, and the Fisher F_R of that distribution
 * with respect to the outputs (Martens 2020, section 9).
 *
 * <p>Outputs have shape {@code [N, ...]}. They fall into rows, one distribution each: for {@link
 * Softmax} the last axis, for the others, whose outputs are independent, all of an example. The
 * loss of an example is the mean over its rows (softmax) or outputs (the others) unless it is
 * {@code summed}; F_R is the curvature of that loss.
 */
public sealed interface OutputLoss {
  /** Cross entropy of a softmax over logits {@code [N, C]} or {@code [N, ..., C]}. */
  OutputLoss SOFTMAX = new Softmax(false);

  /** Sigmoid cross entropy of independent logits {@code [N, ...]}. */
  OutputLoss BERNOULLI = new Bernoulli(false);

  /** Squared error {@code (z - y)^2 / 2}, a Gaussian of variance 1. */
  OutputLoss GAUSSIAN = new Gaussian(1, false);

  /** Squared error {@code (z - y)^2 / (2 variance)}. */
  static OutputLoss gaussian(double variance) {
    return new Gaussian(variance, false);
  }

  /** Whether an example's loss is the sum over its rows or outputs instead of their mean. */
  boolean summed();

  /** The same where an example's loss is the sum over its rows or outputs. */
  OutputLoss ofSum();

  /** The length of a row. */
  int rowLength(Shape outputs);

  /** What the curvature of one row is divided by: the number of terms in an example's mean. */
  default int terms(Shape outputs) {
    return summed() ? 1 : perExample(outputs);
  }

  /**
   * {@code out = B e}, where {@code B B' = F_R} of one row.
   *
   * @param z the row of outputs
   */
  void root(double[] z, double[] e, double[] out);

  /** The gradient of the row's loss for a target drawn from the distribution. */
  void sample(double[] z, RandomGenerator random, double[] out);

  /** {@code out = F_R v} of one row. */
  void fisher(double[] z, double[] v, double[] out);

  /** Outputs of one example. */
  static int perExample(Shape outputs) {
    return Math.toIntExact(outputs.size() / outputs.get(0));
  }

  /**
   * The mean over examples of {@code u' F_R v}. With {@code u = J c}, {@code v = J d}, for
   * directions c, d in the weights and J the Jacobian of the outputs, it is {@code c' F d}.
   *
   * @param outputs {@code [N, ...]}
   * @param u like the outputs
   * @param v like the outputs
   */
  default double curvature(HostTensor outputs, double[] u, double[] v) {
    int length = rowLength(outputs.shape());
    double[] z = new double[length];
    double[] row = new double[length];
    double[] product = new double[length];
    double sum = 0;
    for (int from = 0; from < u.length; from += length) {
      outputs.read(from, z, 0, length);
      System.arraycopy(v, from, row, 0, length);
      fisher(z, row, product);
      for (int i = 0; i < length; i++) {
        sum += u[from + i] * product[i];
      }
    }
    return sum / terms(outputs.shape()) / outputs.shape().get(0);
  }

  /** A distribution over classes, p = softmax(z): {@code F_R = diag(p) - p p'}. */
  record Softmax(boolean summed) implements OutputLoss {
    @Override
    public Softmax ofSum() {
      return new Softmax(true);
    }

    @Override
    public int rowLength(Shape outputs) {
      return outputs.get(outputs.rank() - 1);
    }

    @Override
    public int terms(Shape outputs) {
      return summed ? 1 : perExample(outputs) / rowLength(outputs);
    }

    /** {@code B = diag(sqrt p) - p sqrt(p)'}; its columns are {@code sqrt(p_k) (e_k - p)}. */
    @Override
    public void root(double[] z, double[] e, double[] out) {
      double[] p = probabilities(z);
      double sum = 0;
      for (int i = 0; i < p.length; i++) {
        sum += Math.sqrt(p[i]) * e[i];
      }
      for (int i = 0; i < p.length; i++) {
        out[i] = Math.sqrt(p[i]) * e[i] - p[i] * sum;
      }
    }

    @Override
    public void sample(double[] z, RandomGenerator random, double[] out) {
      double[] p = probabilities(z);
      double u = random.nextDouble();
      double sum = 0;
      int label = 0;
      for (int c = 0; c < p.length && u >= sum; c++) {
        if (p[c] > 0) {
          label = c;
          sum += p[c];
        }
      }
      System.arraycopy(p, 0, out, 0, p.length);
      out[label] -= 1;
    }

    @Override
    public void fisher(double[] z, double[] v, double[] out) {
      double[] p = probabilities(z);
      double mean = 0;
      for (int i = 0; i < p.length; i++) {
        mean += p[i] * v[i];
      }
      for (int i = 0; i < p.length; i++) {
        out[i] = p[i] * (v[i] - mean);
      }
    }

    private static double[] probabilities(double[] z) {
      double max = Double.NEGATIVE_INFINITY;
      for (double value : z) {
        max = Math.max(max, value);
      }
      double[] p = new double[z.length];
      double sum = 0;
      for (int i = 0; i < z.length; i++) {
        p[i] = Math.exp(z[i] - max);
        sum += p[i];
      }
      for (int i = 0; i < z.length; i++) {
        p[i] /= sum;
      }
      return p;
    }
  }

  /** Independent bits, p = sigmoid(z): {@code F_R = diag(p (1 - p))}. */
  record Bernoulli(boolean summed) implements OutputLoss {
    @Override
    public Bernoulli ofSum() {
      return new Bernoulli(true);
    }

    @Override
    public int rowLength(Shape outputs) {
      return perExample(outputs);
    }

    @Override
    public void root(double[] z, double[] e, double[] out) {
      for (int i = 0; i < z.length; i++) {
        double p = sigmoid(z[i]);
        out[i] = Math.sqrt(p * (1 - p)) * e[i];
      }
    }

    @Override
    public void sample(double[] z, RandomGenerator random, double[] out) {
      for (int i = 0; i < z.length; i++) {
        double p = sigmoid(z[i]);
        out[i] = p - (random.nextDouble() < p ? 1 : 0);
      }
    }

    @Override
    public void fisher(double[] z, double[] v, double[] out) {
      for (int i = 0; i < z.length; i++) {
        double p = sigmoid(z[i]);
        out[i] = p * (1 - p) * v[i];
      }
    }

    private static double sigmoid(double z) {
      return 1 / (1 + Math.exp(-z));
    }
  }

  /** Independent Gaussians with mean z: {@code F_R = I / variance}. */
  record Gaussian(double variance, boolean summed) implements OutputLoss {
    /**
     * Checks the variance.
     *
     * @throws IllegalArgumentException if it is not positive and finite
     */
    public Gaussian {
      if (!(variance > 0) || Double.isInfinite(variance)) {
        throw new IllegalArgumentException("variance must be positive but is " + variance);
      }
    }

    @Override
    public Gaussian ofSum() {
      return new Gaussian(variance, true);
    }

    @Override
    public int rowLength(Shape outputs) {
      return perExample(outputs);
    }

    @Override
    public void root(double[] z, double[] e, double[] out) {
      for (int i = 0; i < z.length; i++) {
        out[i] = e[i] / Math.sqrt(variance);
      }
    }

    @Override
    public void sample(double[] z, RandomGenerator random, double[] out) {
      for (int i = 0; i < z.length; i++) {
        out[i] = -random.nextGaussian() / Math.sqrt(variance);
      }
    }

    @Override
    public void fisher(double[] z, double[] v, double[] out) {
      for (int i = 0; i < z.length; i++) {
        out[i] = v[i] / variance;
      }
    }
  }
}
