package io.github.kfac4j.cuda;

import io.github.kfac4j.backend.Gradient;
import io.github.kfac4j.backend.PreconditionRequest;
import io.github.kfac4j.cuda.Conversion.Place;
import io.github.kfac4j.cuda.natives.kfac_cuda;
import io.github.kfac4j.cuda.natives.kfac_precondition_request;
import io.github.kfac4j.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.FloatPointer;

/**
 * The products of inverses with gradients: in one call for all, then in fp64 for those of which fp32
 * lost too much, whose gradients must not have been overwritten by then.
 */
final class KroneckerPreconditioning {
  private KroneckerPreconditioning() {}

  static double[] run(List<PreconditionRequest> steps, CudaContext context) {
    try (Call call = new Call(context)) {
      int count = steps.size();
      long inner = call.take((long) count * Double.BYTES);
      List<long[]> results = byKernels(steps, inner, call);
      boolean[] lossy = StepNorms.lossy(steps, results, call);
      List<Conversion.Copy> copies = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        if (lossy[i]) {
          PrecisePreconditioning.run(steps.get(i), inner + (long) i * Double.BYTES, call);
        } else {
          Gradient result = steps.get(i).result();
          copies.add(copy(call, results.get(i)[0], result.weight()));
          if (result.bias() != null) {
            copies.add(copy(call, results.get(i)[1], result.bias()));
          }
        }
      }
      new Conversion(call).copy(copies);
      double[] inners = call.readDoubles(inner, count);
      call.finish();
      return inners;
    }
  }

  private static Conversion.Copy copy(Call call, long from, Tensor to) {
    long size = to.shape().size();
    Place target = Place.floats(call.outputFloats(to), size);
    return new Conversion.Copy(Place.floats(from, size), target, 1, size);
  }

  /** All in one call, to scratch memory: places of weights and biases, 0 where there is none. */
  private static List<long[]> byKernels(List<PreconditionRequest> steps, long inner, Call call) {
    int count = steps.size();
    List<long[]> results = new ArrayList<>();
    try (kfac_precondition_request requests = new kfac_precondition_request(Math.max(1, count))) {
      for (int i = 0; i < count; i++) {
        PreconditionRequest step = steps.get(i);
        CudaMatrixStack g = call.stack(step.gInverse());
        CudaMatrixStack a = call.stack(step.aInverse());
        boolean bias = step.gradient().bias() != null;
        long[] result = {
          call.take(step.gradient().weight().shape().size() * (long) Float.BYTES),
          bias ? call.take(step.gradient().bias().shape().size() * (long) Float.BYTES) : 0
        };
        results.add(result);
        requests
            .position(i)
            .g_inverse(g.pointer())
            .a_inverse(a.pointer())
            .weight_gradient(input(call, step.gradient().weight()))
            .bias_gradient(bias ? input(call, step.gradient().bias()) : null)
            .weight_result(Address.floats(result[0]))
            .bias_result(bias ? Address.floats(result[1]) : null)
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
    return results;
  }

  private static FloatPointer input(Call call, Tensor tensor) {
    return Address.floats(call.inputFloats(tensor));
  }
}
