package io.github.kfac4j.cuda.elementwise;

import io.github.kfac4j.cuda.calls.Call;
import io.github.kfac4j.cuda.calls.StridedSamples;
import io.github.kfac4j.cuda.calls.Verb;
import io.github.kfac4j.cuda.context.Address;
import io.github.kfac4j.cuda.elementwise.FiniteScan.Range;
import java.util.List;

/** Looks for the largest absolute value in device memory. */
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
    call.run(
        Verb.LARGEST,
        count + " arrays",
        count,
        (request, i) -> {
          Range range = ranges.get(i);
          request
              .x(Address.pointer(range.address()))
              .largest(Address.floats(found + (long) i * Float.BYTES))
              .size(range.size())
              .dtype(StridedSamples.dtype(range.type()));
        });
    call.context().staging().downloadFloats(found, largest);
    return largest;
  }
}
