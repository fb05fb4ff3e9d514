package io.github.kfac4j.layer;

import io.github.kfac4j.tensor.Shape;

/** Checks that all layers share. */
final class Batches {
  private Batches() {}

  /** Refuses an empty batch and, for the same reason, a batch of empty examples. */
  static void requireExamples(String what, Shape shape) {
    if (shape.size() == 0) {
      throw new IllegalArgumentException(
          what + " has shape " + shape + ": a batch needs at least one example");
    }
  }
}
