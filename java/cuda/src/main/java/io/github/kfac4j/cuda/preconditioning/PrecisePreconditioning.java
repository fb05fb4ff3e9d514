package io.github.kfac4j.cuda.preconditioning;

import io.github.kfac4j.backend.PreconditionRequest;
import io.github.kfac4j.cuda.calls.Call;
import io.github.kfac4j.cuda.calls.Conversion;
import io.github.kfac4j.cuda.calls.CudaMatrixStack;
import io.github.kfac4j.cuda.matrix.Gemm.Matrices;
import io.github.kfac4j.cuda.matrix.WideGradient;

/** The products of inverses with a gradient in fp64, rounded once. */
final class PrecisePreconditioning {
  private PrecisePreconditioning() {}

  /**
   * Enqueues one step.
   *
   * @param inner one fp64 number on the device, for the inner product of U and dW
   */
  static void run(PreconditionRequest step, long inner, Call call) {
    CudaMatrixStack g = call.stack(step.gInverse());
    CudaMatrixStack a = call.stack(step.aInverse());
    Conversion conversion = new Conversion(call);
    WideGradient gradient = new WideGradient(g.count(), g.rows(), a.rows(), call);
    WideGradient u = new WideGradient(g.count(), g.rows(), a.rows(), call);
    gradient.read(step.gradient());
    u.read(step.gradient());
    u.left(Matrices.of(conversion.doubles(g), g.rows(), g.rows()));
    u.right(Matrices.of(conversion.doubles(a), a.rows(), a.rows()), step.scale());
    u.round(); // first: what fp32 has no room for makes the inner product infinite, or NaN
    u.inner(gradient, inner);
    u.write(step.result());
  }
}
