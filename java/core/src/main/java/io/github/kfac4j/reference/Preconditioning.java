package io.github.kfac4j.reference;

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
      Strided inner = Strided.rows(Arrays.copyOfRange(dw, k * size, (k + 1) * size), 0, cols);
      if (step.gBasis() != null) {
        inner = product(matrix(step.gBasis(), k).transposed(), inner, rows, rows, cols);
      }
      if (step.aBasis() != null) {
        inner = product(inner, matrix(step.aBasis(), k), rows, cols, cols);
      }
      double[] values = inner.values();
      for (int i = 0; i < size; i++) {
        values[i] /= step.scale() * moments.elements()[moments.offset(k) + i] + step.damping();
      }
      if (step.gBasis() != null) {
        inner = product(matrix(step.gBasis(), k), inner, rows, rows, cols);
      }
      if (step.aBasis() != null) {
        double[] aTransposed = new double[cols * cols];
        Strided transposed = Strided.rows(aTransposed, 0, cols);
        DenseAlgebra.transpose(matrix(step.aBasis(), k), cols, cols, transposed);
        inner = product(inner, transposed, rows, cols, cols);
      }
      System.arraycopy(inner.values(), 0, u, k * size, size);
    }
    write(u, step.result(), moments.count() * rows, cols);
    return dot(read(step.result(), moments.count(), rows, cols), dw);
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
