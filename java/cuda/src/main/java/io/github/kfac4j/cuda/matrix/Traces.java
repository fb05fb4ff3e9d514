package io.github.kfac4j.cuda.matrix;

import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.cuda.calls.Call;
import io.github.kfac4j.cuda.calls.CudaMatrixStack;
import io.github.kfac4j.cuda.calls.Verb;
import io.github.kfac4j.cuda.context.Address;
import io.github.kfac4j.cuda.context.CudaContext;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** The traces of all matrices of some stacks. */
public final class Traces {
  private Traces() {}

  /** For each stack one number a matrix. */
  public static List<double[]> run(List<MatrixStack> stacks, CudaContext context) {
    int[] ends = stacks.stream().mapToInt(MatrixStack::count).toArray();
    Arrays.parallelPrefix(ends, Integer::sum);
    int matrices = ends.length == 0 ? 0 : ends[ends.length - 1];
    try (Call call = new Call(context)) {
      long traces = call.take((long) matrices * Double.BYTES);
      call.run(
          Verb.TRACES,
          matrices + " matrices",
          ends.length,
          (request, i) -> {
            CudaMatrixStack stack = call.stack(stacks.get(i));
            long first = ends[i] - stack.count();
            request
                .matrix(stack.pointer())
                .traces(Address.doubles(traces + first * Double.BYTES))
                .n(stack.rows())
                .count(stack.count());
          });
      double[] all = call.readDoubles(traces, matrices);
      call.finish();
      List<double[]> result = new ArrayList<>();
      for (int i = 0; i < ends.length; i++) {
        result.add(Arrays.copyOfRange(all, ends[i] - stacks.get(i).count(), ends[i]));
      }
      return result;
    }
  }
}
