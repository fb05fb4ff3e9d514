package io.github.kfac4j.cuda.matrix;

import io.github.kfac4j.backend.Basis;
import io.github.kfac4j.cuda.calls.Call;
import io.github.kfac4j.cuda.calls.Conversion;
import io.github.kfac4j.cuda.calls.Conversion.PitchedPointer;
import io.github.kfac4j.cuda.matrix.Gemm.Matrices;
import io.github.kfac4j.tensor.HostTensor;
import java.util.Arrays;

/**
 * Bases as columns in fp64. This backend makes no reflections, but goes on from states that another
 * has made: they are multiplied out, until the next refresh decomposes the factor.
 */
public final class BasisColumns {
  private BasisColumns() {}

  /** Where {@code [count, n, n]} lies on the device, in scratch memory or in the basis's own. */
  public static long of(Basis basis, Call call) {
    Conversion conversion = new Conversion(call);
    long stored = conversion.doubles(basis.matrices());
    if (!basis.isReflected()) {
      return stored;
    }
    int n = basis.dim();
    int r = basis.reflections();
    int count = basis.matrices().count();
    long stride = (long) n * n;
    long q = call.take(count * stride * Double.BYTES);
    Matrices v = new Matrices(stored, n, r, false, stride);
    Matrices w = new Matrices(stored + (long) n * r * Double.BYTES, n, r, true, stride);
    Gemm gemm = new Gemm(call.context());
    gemm.multiply(v, w, 0, q, count); // zeros, to which the identity is added
    double[] ones = new double[n];
    Arrays.fill(ones, 1);
    long one = call.inputFloats(HostTensor.of(ones, n));
    for (int k = 0; k < count; k++) {
      long diagonal = q + k * stride * Double.BYTES;
      conversion.copy(PitchedPointer.floats(one, 1), PitchedPointer.doubles(diagonal, n + 1), n, 1);
    }
    gemm.add(v, w, -1, q, count);
    return q;
  }
}
