package io.github.kfac4j.experiments.train;

/** The networks that {@code --model} accepts. */
public enum ModelName {
  /** Two convolutions and two dense layers (Shallue et al., 2019). */
  SIMPLE_CNN("simple-cnn"),
  /** Three dense layers. */
  MLP("mlp"),
  /** A residual network of seven convolutions, without batch normalisation. */
  RESNET8("resnet8"),
  /**
   * A deep autoencoder, 1000-500-250-30 units and back, tanh (Hinton and Salakhutdinov, 2006):
   * reconstructs the image's brightness by sigmoid cross entropy.
   */
  AUTOENCODER("autoencoder");

  private final String label;

  ModelName(String label) {
    this.label = label;
  }

  /** Whether the network predicts labels, so that there is an accuracy. */
  public boolean classifies() {
    return this != AUTOENCODER;
  }

  /** The name on the command line. */
  @Override
  public String toString() {
    return label;
  }
}
