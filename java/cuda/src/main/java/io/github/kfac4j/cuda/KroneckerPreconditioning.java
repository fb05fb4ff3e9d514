package io.github.kfac4j.cuda;

import io.github.kfac4j.backend.PreconditionRequest;
import io.github.kfac4j.cuda.natives.kfac_cuda;
import io.github.kfac4j.cuda.natives.kfac_precondition_request;
import io.github.kfac4j.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.FloatPointer;

/** The products of inverses with gradients. */
final class KroneckerPreconditioning {
  private KroneckerPreconditioning() {}

  static double[] run(List<PreconditionRequest> steps, CudaContext context) {
    try (Call call = new Call(context)) {
      int count = steps.size();
      long inner = call.take((long) count * Double.BYTES);
      List<Integer> ordinary = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        if (steps.get(i).precise()) {
          PrecisePreconditioning.run(steps.get(i), inner + (long) i * Double.BYTES, call);
        } else {
          ordinary.add(i);
        }
      }
      byKernels(steps, ordinary, inner, call);
      double[] inners = call.readDoubles(inner, count);
      call.finish();
      return inners;
    }
  }

  /** All in one call. */
  private static void byKernels(
      List<PreconditionRequest> steps, List<Integer> which, long inner, Call call) {
    int count = which.size();
    try (kfac_precondition_request requests = new kfac_precondition_request(Math.max(1, count))) {
      for (int k = 0; k < count; k++) {
        int i = which.get(k);
        PreconditionRequest step = steps.get(i);
        CudaMatrixStack g = call.stack(step.gInverse());
        CudaMatrixStack a = call.stack(step.aInverse());
        boolean bias = step.gradient().bias() != null;
        requests
            .position(k)
            .g_inverse(g.pointer())
            .a_inverse(a.pointer())
            .weight_gradient(input(call, step.gradient().weight()))
            .bias_gradient(bias ? input(call, step.gradient().bias()) : null)
            .weight_result(output(call, step.result().weight()))
            .bias_result(bias ? output(call, step.result().bias()) : null)
            .inner(Address.doubles(inner + (long) i * Double.BYTES))
            .groups(g.count())
            .out(g.count() * g.rows())
            .in(bias ? a.rows() - 1 : a.rows())
            .scale((float) step.scale());
      }
      requests.position(0);
      call.kernels(
          "kfac_precondition",
          count + " layers",
          () -> kfac_cuda.kfac_precondition_workspace(requests, count, CudaBackend.MATH),
          (workspace, bytes) ->
              kfac_cuda.kfac_precondition(
                  requests, count, CudaBackend.MATH, workspace, bytes, call.context().stream()));
    }
  }

  private static FloatPointer input(Call call, Tensor tensor) {
    return Address.floats(call.inputFloats(tensor));
  }

  private static FloatPointer output(Call call, Tensor tensor) {
    return Address.floats(call.outputFloats(tensor));
  }
}
