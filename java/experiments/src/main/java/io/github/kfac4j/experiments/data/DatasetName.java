package io.github.kfac4j.experiments.data;

/** The data sets that {@code --data} accepts. */
public enum DatasetName {
  /** 28 x 28 grey images of clothes; MIT licence. */
  FASHION_MNIST("fashion-mnist", 60_000),
  /** 28 x 28 grey images of digits. */
  MNIST("mnist", 60_000),
  /** 32 x 32 colour images of animals and vehicles. */
  CIFAR10("cifar10", 50_000),
  /** 32 x 32 colour images of digits on houses, cropped. */
  SVHN("svhn", 73_257),
  /** Any text, as files {@code *.txt}. */
  TEXT("text", 0),
  /** The One Billion Word Benchmark (Chelba et al., 2014), as its shards. */
  LM1B("lm1b", 0);

  private final String label;
  private final int completeCount;

  DatasetName(String label, int completeCount) {
    this.label = label;
    this.completeCount = completeCount;
  }

  /** Whether it is text, not images. */
  public boolean isText() {
    return this == TEXT || this == LM1B;
  }

  /** Images in the published training files. */
  int completeCount() {
    return completeCount;
  }

  /** The name on the command line. */
  @Override
  public String toString() {
    return label;
  }
}
