package io.github.kfac4j.experiments.options;

import io.github.kfac4j.options.Approximation;
import java.util.Optional;

/** The optimizers that {@code --optimizer} accepts. */
public enum OptimizerName {
  /** K-FAC: preconditioned gradients, then momentum. */
  KFAC("kfac", "K-FAC", Approximation.KRONECKER),
  /** K-FAC with second moments measured in its eigenbasis. */
  EKFAC("ekfac", "EKFAC", Approximation.EKFAC),
  /** Preconditioned by the diagonal of the Fisher alone. */
  DIAGONAL("diagonal", "diagonal", Approximation.DIAGONAL),
  /** Stochastic gradient descent with momentum. */
  SGD("sgd", "SGD", null),
  /** Adam. */
  ADAM("adam", "Adam", null);

  private final String label;
  private final String title;
  private final Approximation approximation;

  OptimizerName(String label, String title, Approximation approximation) {
    this.label = label;
    this.title = title;
    this.approximation = approximation;
  }

  /** The name in tables and plots. */
  public String title() {
    return title;
  }

  /** What the Fisher is approximated by; empty for optimizers without one. */
  public Optional<Approximation> approximation() {
    return Optional.ofNullable(approximation);
  }

  /** The name on the command line and in files. */
  @Override
  public String toString() {
    return label;
  }
}
