package io.github.kfac4j.cuda.accumulation;

import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.cuda.calls.Call;
import io.github.kfac4j.cuda.calls.CudaMatrixStack;
import io.github.kfac4j.cuda.calls.StridedSamples;
import io.github.kfac4j.cuda.calls.Verb;
import io.github.kfac4j.cuda.context.CudaContext;
import io.github.kfac4j.samples.PatchSamples;
import io.github.kfac4j.samples.Samples;
import org.bytedeco.javacpp.FloatPointer;

/** Samples written out, a row for each. */
public final class Patches {
  private Patches() {}

  /** All of them, as {@code [groups, rows, dim]}. */
  public static void run(PatchSamples samples, MatrixStack target, CudaContext context) {
    try (Call call = new Call(context)) {
      CudaMatrixStack out = call.stack(target);
      out.changes();
      write(samples, 0, samples.examples(), out.pointer(), out.shape(), call);
      call.finish();
    }
  }

  /** Those of some examples. */
  static void write(
      Samples samples, int first, int count, FloatPointer out, String shape, Call call) {
    call.run(
        Verb.PATCHES,
        shape,
        1,
        (request, i) -> {
          StridedSamples.describe(samples, call, first, count, request.samples());
          request.out(out);
        });
  }
}
