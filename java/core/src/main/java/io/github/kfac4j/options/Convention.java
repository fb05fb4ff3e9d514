package io.github.kfac4j.options;

import io.github.kfac4j.fisher.Fisher;
import io.github.kfac4j.layer.Layer;
import java.util.Arrays;
import java.util.Locale;

/**
 * How factors are scaled, damped and clipped. All conventions share this library's patches and
 * layouts; they differ in constants. N is the number of examples, T of positions, g the per-example
 * gradient of the summed loss.
 *
 * <table>
 * <caption>Conventions</caption>
 * <tr><th></th><th>A</th><th>G</th><th>block</th><th>factored damping</th></tr>
 * <tr><td>{@link #KFC}</td><td>sum aa'/N</td><td>sum gg'/(NT)</td><td>A x G</td><td>pi</td></tr>
 * <tr><td>{@link #TENSORFLOW_KFAC}, {@link #KFAC_JAX}</td><td>sum aa'/(NT)</td>
 * <td>sum gg'/(NT)</td><td>T A x G</td><td>pi, with lambda/T</td></tr>
 * <tr><td>{@link #KFAC_PYTORCH}</td><td>sum aa'/(N T^3)</td><td>sum gg'/(N^3 T^3)</td>
 * <td>A x G</td><td>lambda to each factor</td></tr>
 * </table>
 *
 * <p>Under {@link #KFAC_JAX} the empirical Fisher is divided by N once more, {@code sum gg'/(N^2
 * T)} (kfac-jax since its commit 40cf083); all other estimators, and the empirical Fisher under the
 * other conventions, have the table's constants.
 *
 * <p>For dense layers applied at several positions {@link #KFAC_PYTORCH} divides by T once, not
 * three times. Its running averages start from the identity and are not debiased; the others start
 * from zero and are.
 */
public enum Convention {
  /** Grosse and Martens 2016; the default. */
  KFC,
  /** The library tensorflow/kfac. */
  TENSORFLOW_KFAC,
  /** The library kfac-jax. */
  KFAC_JAX,
  /** The library gpauloski/kfac-pytorch, its INVERSE (factored) and EIGEN (exact) methods. */
  KFAC_PYTORCH;

  /** The name as written in configurations, for example {@code kfac-jax}. */
  public String id() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /**
   * The convention with the given {@link #id}.
   *
   * @throws IllegalArgumentException if there is none
   */
  public static Convention of(String id) {
    return Arrays.stream(values())
        .filter(c -> c.id().equals(id))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "unknown convention '%s'; known are %s"
                        .formatted(id, Arrays.stream(values()).map(Convention::id).toList())));
  }

  /** Whether the library that it is named after has such a layer; {@link #KFC} has all. */
  public boolean has(Layer layer) {
    return this != KFAC_PYTORCH || layer.speciality() == null;
  }

  /** Whether the library that it is named after has the approximation. */
  public boolean has(Approximation approximation) {
    return this != KFAC_PYTORCH || approximation == Approximation.KRONECKER;
  }

  /** Why a layer cannot have an approximation under this convention; null if it can. */
  public String refusal(Layer layer, Approximation approximation) {
    if (!has(approximation)) {
      return "%s has no approximation %s; choose another convention".formatted(id(), approximation);
    }
    if (!has(layer)) {
      return "%s has no %s; choose another convention, or leave the layer out"
          .formatted(id(), layer.speciality());
    }
    return null;
  }

  /** What the sum of aa' over all N T vectors is multiplied by. */
  public double inputWeight(int examples, int positions, boolean convolution) {
    double n = examples;
    double t = positions;
    return switch (this) {
      case KFC -> 1 / n;
      case TENSORFLOW_KFAC, KFAC_JAX -> 1 / (n * t);
      case KFAC_PYTORCH -> 1 / (n * (convolution ? t * t * t : t));
    };
  }

  /** What the sum of gg' over all N T vectors is multiplied by. */
  public double outputWeight(int examples, int positions, boolean convolution) {
    double n = examples;
    double t = positions;
    return this == KFAC_PYTORCH ? 1 / (n * n * n * (convolution ? t * t * t : t)) : 1 / (n * t);
  }

  /**
   * What output gradients are multiplied by, besides the weight of the moment that they are for, to
   * be those of this convention.
   *
   * @param estimator that they come from
   * @param examples of the batch
   */
  public double gradientScale(Fisher.Estimator estimator, int examples) {
    return dividesTwice(estimator) ? 1 / Math.sqrt(examples) : 1;
  }

  /** Whether moments of output gradients are divided by the number of examples twice. */
  public boolean dividesTwice(Fisher.Estimator estimator) {
    return this == KFAC_JAX && estimator == Fisher.Estimator.EMPIRICAL;
  }

  /**
   * What a moment of a shard is multiplied by, so that the sum over shards is the moment of their
   * union.
   *
   * @param ofGradients whether output gradients are in it
   * @param examples of the shard
   * @param total examples of all shards
   */
  public double shardWeight(
      boolean ofGradients, Fisher.Estimator estimator, double examples, double total) {
    double share = examples / total;
    if (ofGradients && this == KFAC_PYTORCH) {
      return share * share * share;
    }
    return ofGradients && dividesTwice(estimator) ? share * share : share;
  }

  /** The factor m of the Fisher block {@code m A x G}. */
  public double blockScale(int positions) {
    return this == TENSORFLOW_KFAC || this == KFAC_JAX ? positions : 1;
  }

  /** Makes an eigenvalue of a factor, which rounding may have left negative, usable. */
  public double clean(double eigenvalue) {
    return this == TENSORFLOW_KFAC ? Math.abs(eigenvalue) : Math.max(0, eigenvalue);
  }

  /** Whether running averages start from the identity, with weight 1, instead of from zero. */
  public boolean startsFromIdentity() {
    return this == KFAC_PYTORCH;
  }

  /**
   * What a step is multiplied by so that its squared length in the Fisher metric, at this learning
   * rate, is at most {@code clip}: {@code min(1, sqrt(clip / (lr^2 <U, dW>)))} (Ba et al. 2017). An
   * inner product that is not positive gives 1; {@link #KFAC_PYTORCH} takes its absolute value.
   */
  public double klClip(double clip, double learningRate, double innerProduct) {
    double length =
        learningRate
            * learningRate
            * (this == KFAC_PYTORCH ? Math.abs(innerProduct) : innerProduct);
    return length > 0 ? Math.min(1, Math.sqrt(clip / length)) : 1;
  }
}
