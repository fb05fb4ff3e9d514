package io.github.kfac4j.layer;

import static java.util.stream.Collectors.joining;

import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.tensor.Shape;
import io.github.kfac4j.tensor.Tensor;
import java.util.Arrays;

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

  /**
   * Rows of each example.
   *
   * @throws IllegalArgumentException if examples have not the same number of them
   */
  static int positions(long rows, int examples) {
    if (rows % examples != 0) {
      throw new IllegalArgumentException(
          ("its tensors have %d rows, which is no multiple of the %d examples: feed it the same"
                  + " number of rows for every example, or leave it out")
              .formatted(rows, examples));
    }
    return counted("its tensors have %d rows".formatted(rows), rows / examples);
  }

  /** A tensor whose elements the layer itself has to read. */
  static HostTensor host(String what, Tensor tensor) {
    if (tensor instanceof HostTensor host) {
      return host;
    }
    throw new IllegalArgumentException(
        what + " must be in host memory for this kind of layer, but is a " + tensor.getClass());
  }

  /**
   * The length of the vectors that a layer sees, from the extents of one and perhaps a bias.
   *
   * @throws IllegalArgumentException if there are more elements than an int counts
   */
  static int length(boolean bias, int... extents) {
    long length = 1;
    for (int extent : extents) {
      length = Math.min(length * extent, Integer.MAX_VALUE + 1L);
    }
    length += bias ? 1 : 0;
    if (length > Integer.MAX_VALUE) {
      throw new IllegalArgumentException(
          "vectors of %s elements%s are too long: at most %d can be counted"
              .formatted(
                  Arrays.stream(extents).mapToObj(String::valueOf).collect(joining(" x ")),
                  bias ? " and the bias" : "",
                  Integer.MAX_VALUE));
    }
    return (int) length;
  }

  /**
   * The product of dimensions {@code [from, to)}.
   *
   * @throws IllegalArgumentException if it is more than an int counts
   */
  static int product(Shape shape, int from, int to) {
    long product = 1;
    for (int i = from; i < to; i++) {
      product *= shape.get(i); // no more than the shape's own, which a long holds
    }
    return counted("shape " + shape, product);
  }

  private static int counted(String what, long positions) {
    if (positions > Integer.MAX_VALUE) {
      throw new IllegalArgumentException(
          "%s is too large: %d positions, of which at most %d can be counted"
              .formatted(what, positions, Integer.MAX_VALUE));
    }
    return (int) positions;
  }
}
