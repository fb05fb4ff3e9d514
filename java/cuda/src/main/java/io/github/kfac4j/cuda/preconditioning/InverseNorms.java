package io.github.kfac4j.cuda;

import io.github.kfac4j.backend.PreconditionRequest;
import io.github.kfac4j.cuda.natives.kfac_cuda;
import io.github.kfac4j.cuda.natives.kfac_squared_norms_request;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * The Frobenius norms of inverses, which stay on the device beside them until they are made anew.
 */
final class InverseNorms {
  private InverseNorms() {}

  /** Finds those that are not known yet, in one call. */
  static void require(List<PreconditionRequest> steps, Call call) {
    Set<CudaMatrixStack> unknown = new LinkedHashSet<>();
    for (PreconditionRequest step : steps) {
      unknown.add(call.stack(step.gInverse()));
      unknown.add(call.stack(step.aInverse()));
    }
    unknown.removeIf(CudaMatrixStack::hasNorms);
    int count = unknown.size();
    if (count == 0) {
      return;
    }
    try (kfac_squared_norms_request requests = new kfac_squared_norms_request(count)) {
      int i = 0;
      for (CudaMatrixStack stack : unknown) {
        requests
            .position(i++)
            .matrix(stack.pointer())
            .norms(Address.doubles(stack.norms()))
            .n(stack.rows())
            .count(stack.count());
      }
      requests.position(0);
      call.kernels(
          "kfac_squared_norms",
          count + " stacks",
          () -> kfac_cuda.kfac_squared_norms_workspace(requests, count),
          (workspace, bytes) ->
              kfac_cuda.kfac_squared_norms(
                  requests, count, workspace, bytes, call.context().stream()));
    }
    unknown.forEach(CudaMatrixStack::normsFound);
  }
}
