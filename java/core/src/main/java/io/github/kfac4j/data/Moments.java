package io.github.kfac4j.data;

/** The names of a layer's second moments, in statistics, states and reports. */
public final class Moments {
  /** Of the inputs. */
  public static final String A = "A";

  /** Of the gradients at the outputs. */
  public static final String G = "G";

  /** Of the gradients of the weight in a basis. */
  public static final String IN_BASIS = "moments";

  private Moments() {}
}
