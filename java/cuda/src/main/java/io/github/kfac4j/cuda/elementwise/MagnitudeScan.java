package io.github.kfac4j.cuda;

import io.github.kfac4j.cuda.FiniteScan.Range;
import io.github.kfac4j.cuda.natives.kfac_cuda;
import io.github.kfac4j.cuda.natives.kfac_largest_request;
import io.github.kfac4j.tensor.HostTensor;
import java.util.List;

/** Looks for the largest absolute value, where the data is. */
final class MagnitudeScan {
  private MagnitudeScan() {}

  /** For each range its largest absolute value; infinity or NaN if an element is not finite. */
  static double[] run(List<Range> ranges, Call call) {
    int count = ranges.size();
    double[] largest = new double[count];
    if (count == 0) {
      return largest;
    }
    long found = call.take((long) count * Float.BYTES);
    try (kfac_largest_request requests = new kfac_largest_request(count)) {
      for (int i = 0; i < count; i++) {
        Range range = ranges.get(i);
        requests
            .position(i)
            .x(Address.pointer(range.address()))
            .largest(Address.floats(found + (long) i * Float.BYTES))
            .size(range.size())
            .dtype(StridedSamples.dtype(range.type()));
      }
      requests.position(0);
      call.kernels(
          "kfac_largest",
          count + " arrays",
          () -> kfac_cuda.kfac_largest_workspace(requests, count),
          (workspace, bytes) ->
              kfac_cuda.kfac_largest(requests, count, workspace, bytes, call.context().stream()));
    }
    call.context().staging().downloadFloats(found, largest);
    return largest;
  }

  /** The largest absolute value; NaN if one is NaN. */
  static double largest(HostTensor tensor) {
    double largest = 0;
    double[] chunk = new double[Math.min(tensor.size(), 4096)];
    for (int start = 0; start < tensor.size(); start += chunk.length) {
      int n = Math.min(chunk.length, tensor.size() - start);
      tensor.read(start, chunk, 0, n);
      for (int i = 0; i < n; i++) {
        largest = Math.max(largest, Math.abs(chunk[i])); // NaN stays
      }
    }
    return largest;
  }
}
