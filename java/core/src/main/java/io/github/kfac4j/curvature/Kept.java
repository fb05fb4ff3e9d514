package io.github.kfac4j.curvature;

import io.github.kfac4j.backend.MatrixStack;

/**
 * One stack of matrices that is kept of a layer. Its elements are those of the stack times 2 to the
 * exponent, which is 0 but where fp32 has no room for them.
 */
final class Kept implements AutoCloseable {
  private final Room room;
  private final MatrixStack stack;
  private int exponent;

  /** Zeros; owns the stack. */
  Kept(Room room, MatrixStack stack) {
    this.room = room;
    this.stack = stack;
  }

  Room room() {
    return room;
  }

  MatrixStack stack() {
    return stack;
  }

  int exponent() {
    return exponent;
  }

  void setExponent(int value) {
    exponent = value;
  }

  /** The elements, as a new array. */
  double[] values() {
    return Fp32Range.scaled(stack.toArray(), exponent);
  }

  /** Replaces the elements by values that go together with others up to the given size. */
  void set(double[] values, double size) {
    exponent = stack.isDouble() ? 0 : Fp32Range.exponent(Math.max(size, Fp32Range.largest(values)));
    stack.set(Fp32Range.scaled(values, -exponent));
  }

  @Override
  public void close() {
    stack.close();
  }
}
