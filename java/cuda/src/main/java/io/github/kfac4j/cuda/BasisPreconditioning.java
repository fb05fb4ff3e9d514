package io.github.kfac4j.cuda;

import io.github.kfac4j.backend.BasisStep;
import io.github.kfac4j.backend.Gradient;
import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.cuda.Conversion.Place;
import io.github.kfac4j.cuda.Gemm.Matrices;
import io.github.kfac4j.cuda.natives.kfac_cuda;
import io.github.kfac4j.cuda.natives.kfac_divide_request;
import java.util.List;

/**
 * Preconditioning in a Kronecker basis: {@code U = Qg [(Qg' dW Qa) / (s M + damping)] Qa'}, in fp64
 * from the gradient to the result: what rounding leaves of the gradient in the null space of the
 * factors is divided by the damping alone.
 */
final class BasisPreconditioning {
  private final Call call;
  private final Gemm gemm;
  private final Conversion conversion;
  private final BasisStep step;
  private final CudaMatrixStack moments;
  private final int rows;
  private final int cols;

  /** {@code [groups, rows, cols]}, and room for the next one. */
  private long x;

  private long next;

  private BasisPreconditioning(BasisStep step, Call call) {
    this.call = call;
    this.gemm = new Gemm(call.context());
    this.conversion = new Conversion(call);
    this.step = step;
    this.moments = call.stack(step.moments());
    this.rows = moments.rows();
    this.cols = moments.cols();
    long bytes = (long) moments.size() * Double.BYTES;
    this.x = call.take(bytes);
    this.next = call.take(bytes);
  }

  /** Runs all steps; returns for each the inner product of U and dW. */
  static double[] run(List<BasisStep> steps, CudaContext context) {
    try (Call call = new Call(context)) {
      long inner = call.take((long) steps.size() * Double.BYTES);
      for (int i = 0; i < steps.size(); i++) {
        new BasisPreconditioning(steps.get(i), call).run(inner + (long) i * Double.BYTES);
      }
      double[] inners = call.readDoubles(inner, steps.size());
      call.finish();
      return inners;
    }
  }

  private void run(long inner) {
    Matrices g = basis(step.gBasis(), rows);
    Matrices a = basis(step.aBasis(), cols);
    join(step.gradient());
    if (g != null) {
      multiply(g.transpose(), x());
    }
    if (a != null) {
      multiply(x(), a);
    }
    divide(inner);
    if (g != null) {
      multiply(g, x());
    }
    if (a != null) {
      multiply(x(), a.transpose());
    }
    split(step.result());
  }

  /** Null for the identity. */
  private Matrices basis(MatrixStack stack, int n) {
    return stack == null ? null : Matrices.of(conversion.doubles(stack), n, n);
  }

  private Matrices x() {
    return Matrices.of(x, rows, cols);
  }

  private void multiply(Matrices a, Matrices b) {
    gemm.multiply(a, b, next, moments.count());
    long old = x;
    x = next;
    next = old;
  }

  private void divide(long inner) {
    try (kfac_divide_request request = new kfac_divide_request()) {
      request
          .moments(Address.pointer(moments.address()))
          .x(Address.doubles(x))
          .inner(Address.doubles(inner))
          .scale(step.scale())
          .damping(step.damping())
          .size(moments.size())
          .dtype(moments.dtype());
      call.kernels(
          "kfac_divide",
          moments.shape(),
          () -> kfac_cuda.kfac_divide_workspace(request, 1),
          (workspace, bytes) ->
              kfac_cuda.kfac_divide(request, 1, workspace, bytes, call.context().stream()));
    }
  }

  /** Takes weight and bias together, the bias as the last column. */
  private void join(Gradient gradient) {
    int width = width(gradient);
    long all = (long) moments.count() * rows;
    Place weight = Place.floats(call.inputFloats(gradient.weight()), width);
    conversion.copy(weight, Place.doubles(x, cols), all, width);
    if (gradient.bias() != null) {
      Place bias = Place.floats(call.inputFloats(gradient.bias()), 1);
      conversion.copy(bias, biasColumn(), all, 1);
    }
  }

  private void split(Gradient result) {
    int width = width(result);
    long all = (long) moments.count() * rows;
    Place weight = Place.floats(call.outputFloats(result.weight()), width);
    conversion.copy(Place.doubles(x, cols), weight, all, width);
    if (result.bias() != null) {
      Place bias = Place.floats(call.outputFloats(result.bias()), 1);
      conversion.copy(biasColumn(), bias, all, 1);
    }
  }

  private int width(Gradient gradient) {
    return gradient.bias() == null ? cols : cols - 1;
  }

  private Place biasColumn() {
    return Place.doubles(x + (cols - 1L) * Double.BYTES, cols);
  }
}
