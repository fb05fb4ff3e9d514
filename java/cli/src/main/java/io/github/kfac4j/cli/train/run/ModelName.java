package io.github.kfac4j.cli.train.run;

/** The networks that {@code --model} accepts. */
public enum ModelName {
  /** Two convolutions and two dense layers (Shallue et al., 2019). */
  SIMPLE_CNN("simple-cnn"),
  /** Three dense layers. */
  MLP("mlp"),
  /** A residual network of seven convolutions, without batch normalisation. */
  RESNET8("resnet8");

  private final String label;

  ModelName(String label) {
    this.label = label;
  }

  /** The name on the command line. */
  @Override
  public String toString() {
    return label;
  }
}
