package io.github.kfac4j.experiments.options;

import io.github.kfac4j.experiments.data.TextForm;
import io.github.kfac4j.fisher.OutputLoss;
import java.util.Optional;

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
  AUTOENCODER("autoencoder"),
  /**
   * A language model: the base Transformer (Vaswani et al., 2017) with two layers, whose embedding
   * is the weight of its softmax (Zhang et al., 2019).
   */
  TRANSFORMER("transformer", new TextForm(32_768, 64)),
  /** The same with 64 units and four heads, for a small text and two cores. */
  NARROW_TRANSFORMER("narrow-transformer", new TextForm(1_024, 32));

  private final String label;
  private final TextForm text;

  ModelName(String label) {
    this(label, null);
  }

  ModelName(String label, TextForm text) {
    this.label = label;
    this.text = text;
  }

  /** What a language model makes of a text; empty for networks that look at images. */
  public Optional<TextForm> text() {
    return Optional.ofNullable(text);
  }

  /** What its examples are called in the plural. */
  public String unit() {
    return text == null ? "images" : "sequences";
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
