package io.github.kfac4j.cuda.preconditioning;

import io.github.kfac4j.backend.PreconditionRequest;
import io.github.kfac4j.cuda.calls.Call;
import io.github.kfac4j.cuda.calls.CudaMatrixStack;
import io.github.kfac4j.cuda.calls.Verb;
import io.github.kfac4j.cuda.context.Address;
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
    if (unknown.isEmpty()) {
      return;
    }
    List<CudaMatrixStack> stacks = List.copyOf(unknown);
    call.run(
        Verb.SQUARED_NORMS,
        stacks.size() + " stacks",
        stacks.size(),
        (request, i) -> {
          CudaMatrixStack stack = stacks.get(i);
          request
              .matrix(stack.pointer())
              .norms(Address.doubles(stack.norms()))
              .n(stack.rows())
              .count(stack.count());
        });
    unknown.forEach(CudaMatrixStack::normsFound);
  }
}
