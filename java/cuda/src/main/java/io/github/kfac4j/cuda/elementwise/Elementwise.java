package io.github.kfac4j.cuda.elementwise;

import io.github.kfac4j.backend.HostScan;
import io.github.kfac4j.cuda.calls.Call;
import io.github.kfac4j.cuda.calls.Verb;
import io.github.kfac4j.cuda.context.Address;
import io.github.kfac4j.cuda.context.CudaContext;
import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Passes over tensors, done where the tensors are: copies would cost more. */
public final class Elementwise {
  private Elementwise() {}

  public static long[] firstNonFinite(List<? extends Tensor> tensors, CudaContext context) {
    try (Call call = new Call(context)) {
      long[] first = FiniteScan.run(ranges(tensors, call), call);
      call.finish();
      int device = 0;
      long[] all = new long[tensors.size()];
      for (int i = 0; i < all.length; i++) {
        all[i] =
            tensors.get(i) instanceof HostTensor host
                ? HostScan.firstNonFinite(host)
                : first[device++];
      }
      return all;
    }
  }

  public static double[] largest(List<? extends Tensor> tensors, CudaContext context) {
    try (Call call = new Call(context)) {
      double[] largest = MagnitudeScan.run(ranges(tensors, call), call);
      call.finish();
      int device = 0;
      double[] all = new double[tensors.size()];
      for (int i = 0; i < all.length; i++) {
        all[i] =
            tensors.get(i) instanceof HostTensor host ? HostScan.largest(host) : largest[device++];
      }
      return all;
    }
  }

  /** Those that lie on the device, in their order. */
  private static List<FiniteScan.Range> ranges(List<? extends Tensor> tensors, Call call) {
    List<FiniteScan.Range> ranges = new ArrayList<>();
    for (Tensor tensor : tensors) {
      if (!(tensor instanceof HostTensor)) {
        ranges.add(
            new FiniteScan.Range(call.input(tensor), tensor.shape().size(), Call.type(tensor)));
      }
    }
    return ranges;
  }

  public static void scale(List<? extends Tensor> tensors, double factor, CudaContext context) {
    try (Call call = new Call(context)) {
      List<Tensor> onDevice = new ArrayList<>();
      for (Tensor tensor : tensors) {
        if (tensor instanceof HostTensor host) {
          scale(host, factor);
        } else {
          onDevice.add(tensor);
        }
      }
      scaleOnDevice(onDevice, factor, call);
      call.finish();
    }
  }

  private static void scale(HostTensor tensor, double factor) {
    double[] chunk = new double[Math.min(tensor.size(), 4096)];
    for (int start = 0; start < tensor.size(); start += chunk.length) {
      int n = Math.min(chunk.length, tensor.size() - start);
      tensor.read(start, chunk, 0, n);
      for (int i = 0; i < n; i++) {
        chunk[i] *= factor;
      }
      tensor.write(start, chunk, 0, n);
    }
  }

  private static void scaleOnDevice(List<Tensor> tensors, double factor, Call call) {
    int count = tensors.size();
    if (count == 0) {
      return;
    }
    long onDevice = call.uploadFloats(new double[] {factor});
    call.run(
        Verb.SCALE,
        Arrays.toString(tensors.stream().map(Tensor::shape).toArray()),
        count,
        (request, i) ->
            request
                .x(Address.floats(call.outputFloats(tensors.get(i))))
                .factor(Address.floats(onDevice))
                .size(tensors.get(i).shape().size()));
  }
}
