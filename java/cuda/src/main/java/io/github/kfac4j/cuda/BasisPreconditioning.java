package io.github.kfac4j.cuda;

import io.github.kfac4j.backend.BasisStep;
import io.github.kfac4j.backend.Gradient;
import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.cuda.Gemm.Matrices;
import io.github.kfac4j.cuda.natives.kfac_cuda;
import io.github.kfac4j.cuda.natives.kfac_divide_request;
import java.util.List;

/** Preconditioning in a Kronecker basis: {@code U = Qg [(Qg' dW Qa) / (s M + damping)] Qa'}. */
final class BasisPreconditioning {
  private final Call call;
  private final Gemm gemm;
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
    this.step = step;
    this.moments = call.stack(step.moments());
    this.rows = moments.rows();
    this.cols = moments.cols();
    long bytes = (long) moments.size() * Float.BYTES;
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
    join(step.gradient());
    left(step.gBasis(), true);
    right(step.aBasis(), false);
    divide(inner);
    left(step.gBasis(), false);
    right(step.aBasis(), true);
    split(step.result());
  }

  /** {@code x = op(Q) x} for each group; nothing for the identity. */
  private void left(MatrixStack basis, boolean transpose) {
    if (basis != null) {
      Matrices q = Matrices.of(call.stack(basis).address(), rows, rows);
      multiply(transpose ? q.transpose() : q, Matrices.of(x, rows, cols));
    }
  }

  /** {@code x = x op(Q)} for each group; nothing for the identity. */
  private void right(MatrixStack basis, boolean transpose) {
    if (basis != null) {
      Matrices q = Matrices.of(call.stack(basis).address(), cols, cols);
      multiply(Matrices.of(x, rows, cols), transpose ? q.transpose() : q);
    }
  }

  private void multiply(Matrices a, Matrices b) {
    gemm.multiply(a, b, 1, 0, next, moments.count());
    long old = x;
    x = next;
    next = old;
  }

  private void divide(long inner) {
    try (kfac_divide_request request = new kfac_divide_request()) {
      request
          .moments(moments.pointer())
          .x(Address.floats(x))
          .inner(Address.doubles(inner))
          .scale(step.scale())
          .damping(step.damping())
          .size(moments.size());
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
    int all = moments.count() * rows;
    gemm.copy(call.inputFloats(gradient.weight()), width, x, cols, all, width);
    if (gradient.bias() != null) {
      gemm.copy(call.inputFloats(gradient.bias()), 1, biasColumn(), cols, all, 1);
    }
  }

  private void split(Gradient result) {
    int width = width(result);
    int all = moments.count() * rows;
    gemm.copy(x, cols, call.outputFloats(result.weight()), width, all, width);
    if (result.bias() != null) {
      gemm.copy(biasColumn(), cols, call.outputFloats(result.bias()), 1, all, 1);
    }
  }

  private int width(Gradient gradient) {
    return gradient.bias() == null ? cols : cols - 1;
  }

  private long biasColumn() {
    return x + (cols - 1L) * Float.BYTES;
  }
}
