package io.github.kfac4j.cuda;

import io.github.kfac4j.cuda.DeviceTensor.Type;
import io.github.kfac4j.cuda.natives.kfac_cuda;
import io.github.kfac4j.cuda.natives.kfac_first_non_finite_request;
import io.github.kfac4j.tensor.HostTensor;
import java.util.List;

/** Looks for NaN and infinity, where the data is: a copy to the device would cost more. */
final class FiniteScan {
  private FiniteScan() {}

  /** Elements on the device. */
  record Range(long address, long size, Type type) {}

  /** For each range the index of its first element that is not finite, or -1. */
  static long[] run(List<Range> ranges, Call call) {
    int count = ranges.size();
    if (count == 0) {
      return new long[0];
    }
    long first = call.take((long) count * Long.BYTES);
    try (kfac_first_non_finite_request requests = new kfac_first_non_finite_request(count)) {
      for (int i = 0; i < count; i++) {
        Range range = ranges.get(i);
        requests
            .position(i)
            .x(Address.pointer(range.address()))
            .first(Address.longs(first + (long) i * Long.BYTES))
            .size(range.size())
            .dtype(StridedSamples.dtype(range.type()));
      }
      requests.position(0);
      call.kernels(
          "kfac_first_non_finite",
          count + " arrays",
          () -> kfac_cuda.kfac_first_non_finite_workspace(requests, count),
          (workspace, bytes) ->
              kfac_cuda.kfac_first_non_finite(
                  requests, count, workspace, bytes, call.context().stream()));
    }
    return call.readLongs(first, count);
  }

  /** The index of the first element that is not finite, or -1. */
  static long first(HostTensor tensor) {
    double[] chunk = new double[Math.min(tensor.size(), 4096)];
    for (int start = 0; start < tensor.size(); start += chunk.length) {
      int n = Math.min(chunk.length, tensor.size() - start);
      tensor.read(start, chunk, 0, n);
      for (int i = 0; i < n; i++) {
        if (!Double.isFinite(chunk[i])) {
          return start + i;
        }
      }
    }
    return -1;
  }
}
