package io.github.kfac4j.cuda;

import io.github.kfac4j.backend.Basis;
import io.github.kfac4j.backend.BasisPreconditionRequest;
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
  private final BasisPreconditionRequest step;
  private final CudaMatrixStack moments;
  private final WideGradient x;

  private BasisPreconditioning(BasisPreconditionRequest step, Call call) {
    this.call = call;
    this.step = step;
    this.moments = call.stack(step.moments());
    this.x = new WideGradient(moments.count(), moments.rows(), moments.cols(), call);
  }

  /** Runs all steps; returns for each the inner product of U and dW. */
  static double[] run(List<BasisPreconditionRequest> steps, CudaContext context) {
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
    Matrices g = basis(step.gBasis(), moments.rows());
    Matrices a = basis(step.aBasis(), moments.cols());
    x.read(step.gradient());
    if (g != null) {
      x.left(g.transpose());
    }
    if (a != null) {
      x.right(a, 1);
    }
    divide(inner);
    if (g != null) {
      x.left(g);
    }
    if (a != null) {
      x.right(a.transpose(), 1);
    }
    x.write(step.result());
  }

  /** Null for the identity. */
  private Matrices basis(Basis basis, int n) {
    return basis == null ? null : Matrices.of(BasisColumns.of(basis, call), n, n);
  }

  private void divide(long inner) {
    try (kfac_divide_request request = new kfac_divide_request()) {
      request
          .moments(Address.pointer(moments.address()))
          .x(Address.doubles(x.address()))
          .inner(Address.doubles(inner))
          .scale(step.scale())
          .damping(step.damping())
          .size(x.size())
          .dtype(moments.dtype());
      call.kernels(
          "kfac_divide",
          moments.shape(),
          () -> kfac_cuda.kfac_divide_workspace(request, 1),
          (workspace, bytes) ->
              kfac_cuda.kfac_divide(request, 1, workspace, bytes, call.context().stream()));
    }
  }
}
