package io.github.kfac4j.cuda.preconditioning;

import io.github.kfac4j.backend.Gradient;
import io.github.kfac4j.backend.PreconditionRequest;
import io.github.kfac4j.backend.StepAccuracy;
import io.github.kfac4j.cuda.DeviceTensor;
import io.github.kfac4j.cuda.EnqueuedStep;
import io.github.kfac4j.cuda.calls.Call;
import io.github.kfac4j.cuda.calls.CudaMatrixStack;
import io.github.kfac4j.cuda.calls.Verb;
import io.github.kfac4j.cuda.context.Address;
import io.github.kfac4j.cuda.context.Arena;
import io.github.kfac4j.cuda.context.CudaContext;
import io.github.kfac4j.cuda.context.Readback;
import io.github.kfac4j.tensor.Tensor;
import java.util.List;
import java.util.stream.IntStream;
import org.bytedeco.javacpp.FloatPointer;

/**
 * The products of inverses with gradients: all in fp32 in one call of the kernels, and those again
 * in fp64 of which that may have lost too much, by {@link StepAccuracy}. What decides is read back
 * with the inner products, which every call waits for, so that a call whose steps are all good
 * waits once; steps that are only enqueued are not formed again. Results reach the gradients'
 * memory only when everything has been enqueued.
 */
public final class KroneckerPreconditioning {
  /** Of each step: the inner product, and the two norms that the kernels find. */
  private static final int MEASURES = 3;

  private final List<PreconditionRequest> steps;
  private final Call call;
  private final long measures;

  private KroneckerPreconditioning(List<PreconditionRequest> steps, long measures, Call call) {
    this.steps = steps;
    this.call = call;
    this.measures = measures;
  }

  private static long measureBytes(int steps) {
    return (long) steps * MEASURES * Double.BYTES;
  }

  /** Runs all steps; returns for each the inner product of U and dW. */
  public static double[] run(List<PreconditionRequest> steps, CudaContext context) {
    try (Call call = new Call(context)) {
      long measures = call.take(measureBytes(steps.size()));
      return new KroneckerPreconditioning(steps, measures, call).run();
    }
  }

  /** Runs all steps in fp32 without waiting. */
  public static Readback<List<EnqueuedStep>> enqueue(
      List<PreconditionRequest> steps, CudaContext context) {
    for (PreconditionRequest step : steps) {
      requireOnDevice(step.gradient());
      requireOnDevice(step.result());
    }
    try (Call call = new Call(context)) {
      int count = steps.size();
      long bytes = measureBytes(count);
      long measures = context.stepResults().take(bytes);
      new KroneckerPreconditioning(steps, measures, call).inFp32();
      call.finish();
      return new Readback<>(
          context.stepResults(), measures, bytes, () -> read(measures, count, context));
    }
  }

  private static void requireOnDevice(Gradient gradient) {
    for (Tensor tensor : new Tensor[] {gradient.weight(), gradient.bias()}) {
      if (tensor != null && !(tensor instanceof DeviceTensor)) {
        throw new IllegalArgumentException(
            "a gradient of shape %s is in host memory, for which the host would have to wait: pass device memory, or call precondition"
                .formatted(tensor.shape()));
      }
    }
  }

  private static List<EnqueuedStep> read(long measures, int steps, CudaContext context) {
    try (Call call = new Call(context)) {
      double[] measured = call.readDoubles(measures, steps * MEASURES);
      call.finish();
      return IntStream.range(0, steps)
          .mapToObj(i -> new EnqueuedStep(measured[MEASURES * i], isLossy(measured, i)))
          .toList();
    }
  }

  private static boolean isLossy(double[] measured, int step) {
    double multiplied = Math.sqrt(measured[MEASURES * step + 1]);
    return StepAccuracy.isLossy(multiplied, Math.sqrt(measured[MEASURES * step + 2]));
  }

  private double[] run() {
    inFp32();
    double[] measured = read();
    boolean repeated = false;
    for (int i = 0; i < steps.size(); i++) {
      if (isLossy(measured, i)) {
        // what one step needs in fp64 serves the next
        Arena.Mark before = call.context().scratch().mark();
        PrecisePreconditioning.run(steps.get(i), measure(i, 0), call);
        call.context().scratch().release(before);
        repeated = true;
      }
    }
    if (repeated) {
      measured = read();
    }
    call.finish();
    double[] inners = new double[steps.size()];
    for (int i = 0; i < inners.length; i++) {
      inners[i] = measured[MEASURES * i];
    }
    return inners;
  }

  private double[] read() {
    return call.readDoubles(measures, steps.size() * MEASURES);
  }

  private long measure(int step, int which) {
    return measures + ((long) step * MEASURES + which) * Double.BYTES;
  }

  private void inFp32() {
    InverseNorms.require(steps, call);
    call.run(
        Verb.PRECONDITION,
        steps.size() + " layers",
        steps.size(),
        (request, i) -> {
          PreconditionRequest step = steps.get(i);
          CudaMatrixStack g = call.stack(step.gInverse());
          CudaMatrixStack a = call.stack(step.aInverse());
          Tensor weight = step.gradient().weight();
          Tensor bias = step.gradient().bias();
          request
              .g_inverse(g.pointer())
              .a_inverse(a.pointer())
              .weight_gradient(Address.floats(call.inputFloats(weight)))
              .bias_gradient(bias == null ? null : Address.floats(call.inputFloats(bias)))
              .weight_result(result(step.result().weight(), weight))
              .bias_result(bias == null ? null : result(step.result().bias(), bias))
              .inner(Address.doubles(measure(i, 0)))
              .groups(g.count())
              .out(g.count() * g.rows())
              .in(bias == null ? a.rows() : a.rows() - 1)
              .scale((float) step.scale())
              .g_norms(Address.doubles(g.norms()))
              .a_norms(Address.doubles(a.norms()))
              .norms(Address.doubles(measure(i, 1)));
        });
  }

  private FloatPointer result(Tensor tensor, Tensor gradient) {
    return Address.floats(call.outputFloatsApart(tensor, gradient));
  }
}
