package io.github.kfac4j.reference;

import io.github.kfac4j.backend.Basis;
import io.github.kfac4j.backend.BasisPreconditionRequest;
import io.github.kfac4j.backend.Gradient;
import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.backend.PreconditionRequest;
import io.github.kfac4j.tensor.HostTensor;
import java.util.Arrays;

/** The products of inverses, or bases, with a gradient. */
final class Preconditioning {
  private Preconditioning() {}

  static double apply(PreconditionRequest step) {
    int rows = step.gInverse().rows();
    int cols = step.aInverse().rows();
    double[] dw = read(step.gradient(), step.gInverse().count(), rows, cols);
    double[] u = new double[dw.length];
    for (int k = 0; k < step.gInverse().count(); k++) {
      Strided gradient = Strided.rows(dw, k * rows * cols, cols);
      Strided half = product(matrix(step.gInverse(), k), gradient, rows, rows, cols);
      Strided target = Strided.rows(u, k * rows * cols, cols);
      DenseAlgebra.multiply(
          target, rows, cols, step.scale(), half, matrix(step.aInverse(), k), cols);
    }
    write(u, step.result(), step.gInverse().count() * rows, cols);
    return dot(read(step.result(), step.gInverse().count(), rows, cols), dw);
  }

  static double apply(BasisPreconditionRequest step) {
    JavaMatrixStack moments = (JavaMatrixStack) step.moments();
    int rows = moments.rows();
    int cols = moments.cols();
    int size = rows * cols;
    double[] dw = read(step.gradient(), moments.count(), rows, cols);
    double[] u = new double[dw.length];
    for (int k = 0; k < moments.count(); k++) {
      double[] inner = Arrays.copyOfRange(dw, k * size, (k + 1) * size);
      BasisProducts g = products(step.gBasis(), k);
      BasisProducts a = products(step.aBasis(), k);
      inner = g == null ? inner : g.leftTransposed(inner, cols);
      inner = a == null ? inner : a.right(inner, rows);
      for (int i = 0; i < size; i++) {
        inner[i] /= step.scale() * moments.elements()[moments.offset(k) + i] + step.damping();
      }
      inner = g == null ? inner : g.left(inner, cols);
      inner = a == null ? inner : a.rightTransposed(inner, rows);
      System.arraycopy(inner, 0, u, k * size, size);
    }
    write(u, step.result(), moments.count() * rows, cols);
    return dot(read(step.result(), moments.count(), rows, cols), dw);
  }

  private static BasisProducts products(Basis basis, int k) {
    return basis == null ? null : new BasisProducts(basis, k);
  }

  private static Strided matrix(MatrixStack stack, int k) {
    return ((JavaMatrixStack) stack).matrix(k);
  }

  /** A new {@code m x n} array with the product of an {@code m x depth} and a {@code depth x n}. */
  private static Strided product(Strided a, Strided x, int m, int depth, int n) {
    Strided c = Strided.rows(new double[m * n], 0, n);
    DenseAlgebra.multiply(c, m, n, 1, a, x, depth);
    return c;
  }

  /** Weight and bias as one array of {@code groups * rows x cols}, the bias as the last column. */
  private static double[] read(Gradient gradient, int groups, int rows, int cols) {
    double[] joined = new double[groups * rows * cols];
    HostTensor weight = (HostTensor) gradient.weight();
    HostTensor bias = (HostTensor) gradient.bias();
    int width = bias == null ? cols : cols - 1;
    for (int i = 0; i < groups * rows; i++) {
      weight.read(i * width, joined, i * cols, width);
      if (bias != null) {
        bias.read(i, joined, i * cols + width, 1);
      }
    }
    return joined;
  }

  private static void write(double[] joined, Gradient gradient, int rows, int cols) {
    HostTensor weight = (HostTensor) gradient.weight();
    HostTensor bias = (HostTensor) gradient.bias();
    int width = bias == null ? cols : cols - 1;
    for (int i = 0; i < rows; i++) {
      weight.write(i * width, joined, i * cols, width);
      if (bias != null) {
        bias.write(i, joined, i * cols + width, 1);
      }
    }
  }

  private static double dot(double[] x, double[] y) {
    double sum = 0;
    for (int i = 0; i < x.length; i++) {
      sum += x[i] * y[i];
    }
    return sum;
  }
}
