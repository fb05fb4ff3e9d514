package io.github.kfac4j.inversion;

import io.github.kfac4j.backend.MatrixStack;
import java.util.Arrays;
import java.util.function.IntPredicate;

/** Changes to parts of a stack. */
final class Stacks {
  private Stacks() {}

  /** A copy of one matrix. */
  static double[] get(MatrixStack stack, int k) {
    int size = stack.rows() * stack.cols();
    return Arrays.copyOfRange(stack.toArray(), k * size, (k + 1) * size);
  }

  /** Whether all elements of matrix k of some, n x n, are finite. */
  static boolean finite(double[] all, int k, int n) {
    return Arrays.stream(all, k * n * n, (k + 1) * n * n).allMatch(Double::isFinite);
  }

  /** Replaces one matrix. */
  static void put(MatrixStack stack, int k, double[] one) {
    double[] all = stack.toArray();
    System.arraycopy(one, 0, all, k * one.length, one.length);
    stack.set(all);
  }

  /** Replaces the matrices that are chosen by symmetric ones: the means of x and its transpose. */
  static void replace(MatrixStack stack, double[] x, IntPredicate chosen) {
    int n = stack.rows();
    double[] all = stack.toArray();
    for (int k = 0; k < stack.count(); k++) {
      if (chosen.test(k)) {
        for (int i = 0; i < n; i++) {
          for (int j = 0; j <= i; j++) {
            double mean = (x[(k * n + i) * n + j] + x[(k * n + j) * n + i]) / 2;
            all[(k * n + i) * n + j] = mean;
            all[(k * n + j) * n + i] = mean;
          }
        }
      }
    }
    stack.set(all);
  }
}
