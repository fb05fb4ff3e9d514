package io.github.kfac4j.cuda.elementwise;

import io.github.kfac4j.cuda.DeviceTensor.Type;
import io.github.kfac4j.cuda.calls.Call;
import io.github.kfac4j.cuda.calls.StridedSamples;
import io.github.kfac4j.cuda.calls.Verb;
import io.github.kfac4j.cuda.context.Address;
import java.util.List;

/** Looks for NaN and infinity in device memory. */
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
    call.run(
        Verb.FIRST_NON_FINITE,
        count + " arrays",
        count,
        (request, i) -> {
          Range range = ranges.get(i);
          request
              .x(Address.pointer(range.address()))
              .first(Address.longs(first + (long) i * Long.BYTES))
              .size(range.size())
              .dtype(StridedSamples.dtype(range.type()));
        });
    return call.readLongs(first, count);
  }
}
