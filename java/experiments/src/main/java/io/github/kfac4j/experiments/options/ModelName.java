package io.github.kfac4j.experiments.options;

import io.github.kfac4j.fisher.OutputLoss;

/** The networks that {@code --model} accepts. */
public enum ModelName {
  /** Two convolutions and two dense layers (Shallue et al., 2019). */
  SIMPLE_CNN("simple-cnn"),
  /** The same with 8 and 16 filters and 128 units, for studies of many trials. */
  NARROW_CNN("narrow-cnn"),
  /** Three dense layers. */
  MLP("mlp"),
  /** A residual network of seven convolutions, without batch normalisation. */
  RESNET8("resnet8"),
  /** Residual networks of 19 and 31 convolutions, with ghost batch normalisation. */
  RESNET20("resnet20"),
  /** See {@link #RESNET20}. */
  RESNET32("resnet32"),
  /** VGG11 (Simonyan and Zisserman, 2015) for 32 x 32 images, with ghost batch normalisation. */
  VGG11("vgg11"),
  /** AlexNet (Krizhevsky et al., 2012) for 32 x 32 images. */
  ALEXNET("alexnet"),
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

  /** The loss that the outputs are trained with, as a distribution of targets. */
  public OutputLoss outputLoss() {
    return classifies() ? OutputLoss.SOFTMAX : OutputLoss.BERNOULLI.ofSum();
  }

  /** The name on the command line. */
  @Override
  public String toString() {
    return label;
  }
}
