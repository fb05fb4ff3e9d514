package io.github.kfac4j.experiments.data;

/** Examples of one part of a data set. */
public sealed interface Examples permits Images, Sequences {
  /** How many there are. */
  int count();

  /** What a network gets of one: [channels, height, width] of an image, [length] of a sequence. */
  long[] shape();

  /** How many classes a prediction is one of. */
  int classes();

  /** What they are called in the plural. */
  String unit();

  /** The first of them. */
  Examples first(int number);
}
