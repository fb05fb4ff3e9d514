package io.github.kfac4j.cuda.matrix;

import io.github.kfac4j.backend.Gradient;
import io.github.kfac4j.cuda.calls.Call;
import io.github.kfac4j.cuda.calls.Conversion;
import io.github.kfac4j.cuda.calls.Conversion.Copy;
import io.github.kfac4j.cuda.calls.Conversion.PitchedPointer;
import io.github.kfac4j.cuda.matrix.Gemm.Matrices;
import java.util.ArrayList;
import java.util.List;

/** A layer's gradient in fp64 on the device, the bias as the last column, and products with it. */
public final class WideGradient {
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

  public WideGradient(int groups, int rows, int cols, Call call) {
    this.call = call;
    this.gemm = new Gemm(call.context());
    this.conversion = new Conversion(call);
    this.groups = groups;
    this.rows = rows;
    this.cols = cols;
    this.x = call.take(size() * Double.BYTES);
  }

  public long size() {
    return (long) groups * rows * cols;
  }

  public long address() {
    return x;
  }

  /** {@code x = A x} for each group. */
  public void left(Matrices a) {
    multiply(a, Matrices.of(x, rows, cols), 1);
  }

  /** {@code x = alpha x B} for each group. */
  public void right(Matrices b, double alpha) {
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
  public void inner(WideGradient other, long to) {
    int all = Math.toIntExact(size());
    gemm.multiply(Matrices.of(x, 1, all), Matrices.of(other.x, all, 1), to, 1);
  }

  public void read(Gradient gradient) {
    conversion.copy(reads(gradient));
  }

  /** The copies that read a gradient. */
  public List<Copy> reads(Gradient gradient) {
    List<Copy> copies = new ArrayList<>();
    int width = width(gradient);
    PitchedPointer weight = PitchedPointer.floats(call.inputFloats(gradient.weight()), width);
    copies.add(new Copy(weight, PitchedPointer.doubles(x, cols), allRows(), width));
    if (gradient.bias() != null) {
      PitchedPointer bias = PitchedPointer.floats(call.inputFloats(gradient.bias()), 1);
      copies.add(new Copy(bias, biasColumn(), allRows(), 1));
    }
    return copies;
  }

  /** Rounds all elements to fp32. */
  public void round() {
    long floats = call.take(size() * Float.BYTES);
    conversion.copy(
        PitchedPointer.doubles(x, size()), PitchedPointer.floats(floats, size()), 1, size());
    conversion.copy(
        PitchedPointer.floats(floats, size()), PitchedPointer.doubles(x, size()), 1, size());
  }

  public void write(Gradient result) {
    conversion.copy(writes(result));
  }

  /** The copies that write a result. */
  public List<Copy> writes(Gradient result) {
    List<Copy> copies = new ArrayList<>();
    int width = width(result);
    PitchedPointer weight = PitchedPointer.floats(call.outputFloats(result.weight()), width);
    copies.add(new Copy(PitchedPointer.doubles(x, cols), weight, allRows(), width));
    if (result.bias() != null) {
      PitchedPointer bias = PitchedPointer.floats(call.outputFloats(result.bias()), 1);
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

  private PitchedPointer biasColumn() {
    return PitchedPointer.doubles(x + (cols - 1L) * Double.BYTES, cols);
  }
}
