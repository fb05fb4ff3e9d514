package io.github.kfac4j.cli.train.run;

/** The optimizers that {@code --optimizer} accepts. */
public enum OptimizerName {
  /** K-FAC: preconditioned gradients, then momentum. */
  KFAC("kfac", "K-FAC"),
  /** Stochastic gradient descent with momentum. */
  SGD("sgd", "SGD"),
  /** Adam. */
  ADAM("adam", "Adam");

  private final String label;
  private final String title;

  OptimizerName(String label, String title) {
    this.label = label;
    this.title = title;
  }

  /** The name in tables and plots. */
  public String title() {
    return title;
  }

  /** The name on the command line and in files. */
  @Override
  public String toString() {
    return label;
  }
}
