package io.github.kfac4j.reference;

import io.github.kfac4j.backend.AccumulateRequest;
import io.github.kfac4j.backend.Basis;
import io.github.kfac4j.backend.BasisAccumulateRequest;
import java.util.Arrays;

/** Second moments of samples. */
final class Accumulation {
  private static final int CHUNK = 256;

  private Accumulation() {}

  static void accumulate(AccumulateRequest moment) {
    JavaMatrixStack target = (JavaMatrixStack) moment.target();
    int dim = target.cols();
    SampleReader reader = new SampleReader(moment.samples());
    double[] rows = new double[CHUNK * dim];
    double[] c = target.elements();
    for (int k = 0; k < target.count(); k++) {
      decay(c, target.offset(k), dim * dim, moment.decay());
      Strided matrix = target.matrix(k);
      for (long first = 0; first < moment.samples().rows(); first += CHUNK) {
        int count = (int) Math.min(CHUNK, moment.samples().rows() - first);
        reader.read(k, first, count, rows);
        DenseAlgebra.addSymmetricSquare(
            matrix, dim, moment.weight(), Strided.rows(rows, 0, dim), count, false);
      }
      DenseAlgebra.mirrorLower(matrix, dim);
    }
  }

  static void accumulateInBasis(BasisAccumulateRequest moment) {
    JavaMatrixStack target = (JavaMatrixStack) moment.target();
    int rows = target.rows();
    int cols = target.cols();
    int positions = moment.g().positions();
    SampleReader gReader = new SampleReader(moment.g());
    SampleReader aReader = new SampleReader(moment.a());
    double[] g = new double[positions * rows];
    double[] a = new double[positions * cols];
    double[] gradient = new double[rows * cols];
    double[] s = target.elements();
    for (int k = 0; k < target.count(); k++) {
      int offset = target.offset(k);
      decay(s, offset, rows * cols, moment.decay());
      for (int n = 0; n < moment.g().examples(); n++) {
        gReader.read(k, (long) n * positions, positions, g);
        aReader.read(k, (long) n * positions, positions, a);
        double[] gBasis = project(g, positions, moment.gBasis(), k);
        double[] aBasis = project(a, positions, moment.aBasis(), k);
        Arrays.fill(gradient, 0);
        DenseAlgebra.multiply(
            Strided.rows(gradient, 0, cols),
            rows,
            cols,
            1,
            Strided.rows(gBasis, 0, rows).transposed(),
            Strided.rows(aBasis, 0, cols),
            positions);
        for (int i = 0; i < gradient.length; i++) {
          s[offset + i] += moment.weight() * gradient[i] * gradient[i];
        }
      }
    }
  }

  /** Rows times a basis; the rows themselves if the basis is the identity. */
  private static double[] project(double[] x, int count, Basis basis, int k) {
    return basis == null ? x : new BasisProducts(basis, k).right(x, count);
  }

  /** Multiplies by the decay; a decay of 0 clears whatever was there, NaN too. */
  private static void decay(double[] c, int offset, int length, double decay) {
    for (int i = offset; i < offset + length; i++) {
      c[i] = decay == 0 ? 0 : decay * c[i];
    }
  }
}
