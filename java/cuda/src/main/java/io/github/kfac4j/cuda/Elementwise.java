package io.github.kfac4j.cuda;

import io.github.kfac4j.cuda.natives.kfac_cuda;
import io.github.kfac4j.cuda.natives.kfac_scale_request;
import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Passes over tensors, done where the tensors are: copies would cost more. */
final class Elementwise {
  private Elementwise() {}

  static long[] firstNonFinite(List<? extends Tensor> tensors, CudaContext context) {
    try (Call call = new Call(context)) {
      long[] first = new long[tensors.size()];
      List<FiniteScan.Range> ranges = new ArrayList<>();
      List<Integer> which = new ArrayList<>();
      for (int i = 0; i < first.length; i++) {
        if (tensors.get(i) instanceof HostTensor host) {
          first[i] = FiniteScan.first(host);
        } else {
          Tensor tensor = tensors.get(i);
          which.add(i);
          ranges.add(
              new FiniteScan.Range(call.input(tensor), tensor.shape().size(), Call.type(tensor)));
        }
      }
      long[] onDevice = FiniteScan.run(ranges, call);
      call.finish();
      for (int i = 0; i < onDevice.length; i++) {
        first[which.get(i)] = onDevice[i];
      }
      return first;
    }
  }

  /** Of tensors on the device it is known only whether they are finite: then it says 1. */
  static double[] largest(List<? extends Tensor> tensors, CudaContext context) {
    long[] first = firstNonFinite(tensors, context);
    double[] largest = new double[first.length];
    for (int i = 0; i < first.length; i++) {
      largest[i] = first[i] >= 0 ? Double.NaN : 1;
      if (first[i] < 0 && tensors.get(i) instanceof HostTensor host) {
        largest[i] = Arrays.stream(host.toArray()).map(Math::abs).max().orElse(0);
      }
    }
    return largest;
  }

  static void scale(List<? extends Tensor> tensors, double factor, CudaContext context) {
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
    long place = call.take(Float.BYTES);
    call.context().staging().uploadFloats(new double[] {factor}, place);
    try (kfac_scale_request requests = new kfac_scale_request(count)) {
      for (int i = 0; i < count; i++) {
        requests
            .position(i)
            .x(Address.floats(call.outputFloats(tensors.get(i))))
            .factor(Address.floats(place))
            .size(tensors.get(i).shape().size());
      }
      requests.position(0);
      call.kernels(
          "kfac_scale",
          Arrays.toString(tensors.stream().map(Tensor::shape).toArray()),
          () -> kfac_cuda.kfac_scale_workspace(requests, count),
          (workspace, bytes) ->
              kfac_cuda.kfac_scale(requests, count, workspace, bytes, call.context().stream()));
    }
  }
}
