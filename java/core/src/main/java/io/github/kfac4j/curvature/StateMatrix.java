package io.github.kfac4j.curvature;

import io.github.kfac4j.backend.MatrixStack;

/**
 * One stack of matrices of a layer's state. Its elements are those of the stack times 2 to the
 * exponent, which is 0 but where fp32 has no room for them.
 */
public final class StateMatrix implements AutoCloseable {
  private final MatrixSpec spec;
  private final MatrixStack stack;
  private int exponent;

  /** Zeros; owns the stack. */
  StateMatrix(MatrixSpec spec, MatrixStack stack) {
    this.spec = spec;
    this.stack = stack;
  }

  public StateKey key() {
    return spec.key();
  }

  public MatrixSpec spec() {
    return spec;
  }

  public MatrixStack stack() {
    return stack;
  }

  public int exponent() {
    return exponent;
  }

  public void setExponent(int value) {
    exponent = value;
  }

  /** The elements, as a new array. */
  public double[] values() {
    return Fp32Range.scaled(stack.toArray(), exponent);
  }

  /** Replaces the elements. */
  public void set(double[] values) {
    set(values, 0);
  }

  /** Replaces the elements by values that are added to others up to the given size. */
  public void set(double[] values, double size) {
    exponent = stack.isDouble() ? 0 : Fp32Range.exponent(Math.max(size, Fp32Range.largest(values)));
    stack.set(Fp32Range.scaled(values, -exponent));
  }

  @Override
  public void close() {
    stack.close();
  }
}
