package io.github.kfac4j;

import java.util.Locale;

/**
 * How factors are scaled, damped and clipped. All conventions share the same patches and layouts,
 * so that factors are always in this library's coordinates; they differ in constants. N is the
 * number of examples, T of positions, g the per-example gradient of the summed loss.
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
 * <p>For dense layers applied at several positions {@link #KFAC_PYTORCH} divides by T once, not
 * three times.
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
}
