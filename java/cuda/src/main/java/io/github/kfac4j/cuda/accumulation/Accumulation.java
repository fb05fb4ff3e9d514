package io.github.kfac4j.cuda.accumulation;

import io.github.kfac4j.backend.AccumulateRequest;
import io.github.kfac4j.cuda.calls.Call;
import io.github.kfac4j.cuda.calls.StridedSamples;
import io.github.kfac4j.cuda.calls.Verb;
import io.github.kfac4j.cuda.context.CudaContext;
import java.util.List;

/** Second moments of samples, all in one call of the kernels. */
public final class Accumulation {
  private Accumulation() {}

  /** Updates all. */
  public static void run(List<AccumulateRequest> moments, CudaContext context) {
    try (Call call = new Call(context)) {
      call.run(
          Verb.ACCUMULATE,
          moments.size() + " moments",
          moments.size(),
          (request, i) -> {
            AccumulateRequest moment = moments.get(i);
            StridedSamples.describe(moment.samples(), call, request.samples());
            request
                .target(call.stack(moment.target()).pointer())
                .weight((float) moment.weight())
                .decay((float) moment.decay());
          });
      call.finish();
    }
  }
}
