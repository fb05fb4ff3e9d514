package io.github.kfac4j.cuda;

import io.github.kfac4j.backend.PreconditionRequest;
import io.github.kfac4j.backend.StepAccuracy;
import io.github.kfac4j.cuda.natives.kfac_cuda;
import io.github.kfac4j.cuda.natives.kfac_sum_squares_request;
import java.util.ArrayList;
import java.util.List;

/** Which steps fp32 lost too much of, by norms of gradients, inverses and steps. */
final class StepNorms {
  private record Range(long address, long size) {}

  private final Call call;
  private final List<Range> ranges = new ArrayList<>();

  private StepNorms(Call call) {
    this.call = call;
  }

  /** For each step whether it is lossy; {@code results} are the places of weights and biases. */
  static boolean[] lossy(List<PreconditionRequest> steps, List<long[]> results, Call call) {
    StepNorms norms = new StepNorms(call);
    for (int i = 0; i < results.size(); i++) {
      norms.add(steps.get(i), results.get(i));
    }
    double[] squares = norms.squares();
    boolean[] lossy = new boolean[results.size()];
    int at = 0;
    for (int i = 0; i < lossy.length; i++) {
      PreconditionRequest step = steps.get(i);
      double multiplied = 0;
      for (int k = 0; k < step.gInverse().count(); k++) {
        double gradient = squares[at++] + squares[at++];
        double g = squares[at++] / step.gInverse().rows();
        double a = squares[at++] / step.aInverse().rows();
        multiplied += gradient * g * a;
      }
      double result = squares[at++] + squares[at++];
      lossy[i] =
          StepAccuracy.isLossy(Math.abs(step.scale()) * Math.sqrt(multiplied), Math.sqrt(result));
    }
    return lossy;
  }

  /** For each group weight, bias, G and A, then weight and bias of the result. */
  private void add(PreconditionRequest step, long[] result) {
    CudaMatrixStack g = call.stack(step.gInverse());
    CudaMatrixStack a = call.stack(step.aInverse());
    boolean bias = step.gradient().bias() != null;
    long rows = g.rows();
    long weights = rows * (bias ? a.rows() - 1 : a.rows());
    long biases = bias ? rows : 0;
    long weight = call.inputFloats(step.gradient().weight());
    long biasGradient = bias ? call.inputFloats(step.gradient().bias()) : 0;
    for (int k = 0; k < g.count(); k++) {
      add(weight, k, weights);
      add(biasGradient, k, biases);
      add(g.address(), k, rows * rows);
      add(a.address(), k, (long) a.rows() * a.rows());
    }
    add(result[0], 0, g.count() * weights);
    add(result[1], 0, g.count() * biases);
  }

  private void add(long address, int part, long size) {
    ranges.add(new Range(address + part * size * Float.BYTES, size));
  }

  private double[] squares() {
    int count = ranges.size();
    long sums = call.take((long) count * Double.BYTES);
    try (kfac_sum_squares_request requests = new kfac_sum_squares_request(Math.max(1, count))) {
      for (int i = 0; i < count; i++) {
        requests
            .position(i)
            .x(Address.floats(ranges.get(i).address()))
            .sum(Address.doubles(sums + (long) i * Double.BYTES))
            .size(ranges.get(i).size());
      }
      requests.position(0);
      call.kernels(
          "kfac_sum_squares",
          count + " arrays",
          () -> kfac_cuda.kfac_sum_squares_workspace(requests, count),
          (workspace, bytes) ->
              kfac_cuda.kfac_sum_squares(
                  requests, count, workspace, bytes, call.context().stream()));
    }
    return call.readDoubles(sums, count);
  }
}
