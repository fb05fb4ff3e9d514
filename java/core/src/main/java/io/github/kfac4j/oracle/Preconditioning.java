package io.github.kfac4j.oracle;

import io.github.kfac4j.backend.BasisStep;
import io.github.kfac4j.backend.Gradient;
import io.github.kfac4j.backend.KroneckerStep;
import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.tensor.HostTensor;

/** The products of inverses, or bases, with a gradient. */
final class Preconditioning {
  private Preconditioning() {}

  static double apply(KroneckerStep step) {
    int rows = step.gInverse().rows();
    int cols = step.aInverse().rows();
    double[] dw = read(step.gradient(), step.gInverse().count(), rows, cols);
    double[] u = new double[dw.length];
    for (int k = 0; k < step.gInverse().count(); k++) {
      double[] half = times(step.gInverse(), k, dw, k * rows * cols, rows, cols);
      JavaMatrixStack a = (JavaMatrixStack) step.aInverse();
      Rows.multiply(
          u, k * rows * cols, rows, cols, step.scale(), half, 0, a.elements(), a.offset(k), cols);
    }
    write(u, step.result(), step.gInverse().count() * rows, cols);
    return dot(u, dw);
  }

  static double apply(BasisStep step) {
    JavaMatrixStack moments = (JavaMatrixStack) step.moments();
    int rows = moments.rows();
    int cols = moments.cols();
    int size = rows * cols;
    double[] dw = read(step.gradient(), moments.count(), rows, cols);
    double[] u = new double[dw.length];
    for (int k = 0; k < moments.count(); k++) {
      double[] gT = transposed(step.gBasis(), k);
      double[] aT = transposed(step.aBasis(), k);
      double[] inner = new double[size];
      System.arraycopy(dw, k * size, inner, 0, size);
      if (gT != null) {
        inner = product(gT, 0, inner, 0, rows, rows, cols);
      }
      if (aT != null) {
        inner = product(inner, 0, elements(step.aBasis()), k * cols * cols, rows, cols, cols);
      }
      for (int i = 0; i < size; i++) {
        inner[i] /= step.scale() * moments.elements()[moments.offset(k) + i] + step.damping();
      }
      if (gT != null) {
        inner = product(elements(step.gBasis()), k * rows * rows, inner, 0, rows, rows, cols);
      }
      if (aT != null) {
        inner = product(inner, 0, aT, 0, rows, cols, cols);
      }
      System.arraycopy(inner, 0, u, k * size, size);
    }
    write(u, step.result(), moments.count() * rows, cols);
    return dot(u, dw);
  }

  private static double[] times(MatrixStack m, int k, double[] x, int x0, int rows, int cols) {
    return product(elements(m), k * rows * rows, x, x0, rows, rows, cols);
  }

  /** A new {@code m x n} array with the product of an {@code m x depth} and a {@code depth x n}. */
  private static double[] product(double[] a, int a0, double[] b, int b0, int m, int depth, int n) {
    double[] c = new double[m * n];
    Rows.multiply(c, 0, m, n, 1, a, a0, b, b0, depth);
    return c;
  }

  private static double[] elements(MatrixStack stack) {
    return ((JavaMatrixStack) stack).elements();
  }

  private static double[] transposed(MatrixStack stack, int k) {
    return stack == null
        ? null
        : Rows.transpose(
            elements(stack), k * stack.size() / stack.count(), stack.rows(), stack.cols());
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
