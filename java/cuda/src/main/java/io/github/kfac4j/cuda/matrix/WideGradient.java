package io.github.kfac4j.cuda;

import io.github.kfac4j.backend.Gradient;
import io.github.kfac4j.cuda.Conversion.Copy;
import io.github.kfac4j.cuda.Conversion.Place;
import io.github.kfac4j.cuda.Gemm.Matrices;
import java.util.ArrayList;
import java.util.List;

/** A layer's gradient in fp64 on the device, the bias as the last column, and products with it. */
final class WideGradient {
  private final Call call;
  private final Gemm gemm;
  private final Conversion conversion;
  private final int groups;
  private final int rows;
  private final int cols;

  /** {@code [groups, rows, cols]}. */
  private long x;

  /** Room for the next one, from the first product on. */
  private long next;

  WideGradient(int groups, int rows, int cols, Call call) {
    this.call = call;
    this.gemm = new Gemm(call.context());
    this.conversion = new Conversion(call);
    this.groups = groups;
    this.rows = rows;
    this.cols = cols;
    this.x = call.take(size() * Double.BYTES);
  }

  long size() {
    return (long) groups * rows * cols;
  }

  long address() {
    return x;
  }

  /** {@code x = A x} for each group. */
  void left(Matrices a) {
    multiply(a, Matrices.of(x, rows, cols), 1);
  }

  /** {@code x = alpha x B} for each group. */
  void right(Matrices b, double alpha) {
    multiply(Matrices.of(x, rows, cols), b, alpha);
  }

  private void multiply(Matrices a, Matrices b, double alpha) {
    if (next == 0) {
      next = call.take(size() * Double.BYTES);
    }
    gemm.multiply(a, b, alpha, next, groups);
    long old = x;
    x = next;
    next = old;
  }

  /** Writes the inner product with another gradient to an fp64 number on the device. */
  void inner(WideGradient other, long to) {
    int all = Math.toIntExact(size());
    gemm.multiply(Matrices.of(x, 1, all), Matrices.of(other.x, all, 1), to, 1);
  }

  void read(Gradient gradient) {
    conversion.copy(reads(gradient));
  }

  /** The copies that read a gradient. */
  List<Copy> reads(Gradient gradient) {
    List<Copy> copies = new ArrayList<>();
    int width = width(gradient);
    Place weight = Place.floats(call.inputFloats(gradient.weight()), width);
    copies.add(new Copy(weight, Place.doubles(x, cols), allRows(), width));
    if (gradient.bias() != null) {
      Place bias = Place.floats(call.inputFloats(gradient.bias()), 1);
      copies.add(new Copy(bias, biasColumn(), allRows(), 1));
    }
    return copies;
  }

  /** Rounds all elements to fp32. */
  void round() {
    long floats = call.take(size() * Float.BYTES);
    conversion.copy(Place.doubles(x, size()), Place.floats(floats, size()), 1, size());
    conversion.copy(Place.floats(floats, size()), Place.doubles(x, size()), 1, size());
  }

  void write(Gradient result) {
    conversion.copy(writes(result));
  }

  /** The copies that write a result. */
  List<Copy> writes(Gradient result) {
    List<Copy> copies = new ArrayList<>();
    int width = width(result);
    Place weight = Place.floats(call.outputFloats(result.weight()), width);
    copies.add(new Copy(Place.doubles(x, cols), weight, allRows(), width));
    if (result.bias() != null) {
      Place bias = Place.floats(call.outputFloats(result.bias()), 1);
      copies.add(new Copy(biasColumn(), bias, allRows(), 1));
    }
    return copies;
  }

  private long allRows() {
    return (long) groups * rows;
  }

  private int width(Gradient gradient) {
    return gradient.bias() == null ? cols : cols - 1;
  }

  private Place biasColumn() {
    return Place.doubles(x + (cols - 1L) * Double.BYTES, cols);
  }
}
