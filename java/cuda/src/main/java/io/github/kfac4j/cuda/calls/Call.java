package io.github.kfac4j.cuda;

import static org.bytedeco.cuda.global.cudart.cudaMemoryTypeDevice;
import static org.bytedeco.cuda.global.cudart.cudaMemoryTypeManaged;
import static org.bytedeco.cuda.global.cudart.cudaPointerGetAttributes;

import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.cuda.Conversion.Copy;
import io.github.kfac4j.cuda.Conversion.Place;
import io.github.kfac4j.cuda.DeviceTensor.Type;
import io.github.kfac4j.cuda.natives.kfac_cuda;
import io.github.kfac4j.cuda.natives.kfac_upload_request;
import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.tensor.Tensor;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.cuda.cudart.cudaPointerAttributes;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerScope;

/**
 * One call of a verb: where its tensors lie on the device while it lasts. Those of the host are
 * copied to scratch memory, results of the host are copied back by {@link #finish}.
 */
final class Call implements AutoCloseable {
  private final CudaContext context;
  private final Map<Tensor, Long> places = new IdentityHashMap<>();
  private final Map<Tensor, Long> results = new IdentityHashMap<>();

  /** For the requests made while the call lasts: a scope of the caller's would collect them. */
  private final PointerScope scope;

  private boolean finished;

  Call(CudaContext context) {
    this.context = context;
    context.enter();
    this.scope = new PointerScope();
  }

  /** One of the two functions of a verb of libkfac_cuda. */
  @FunctionalInterface
  interface Query {
    long bytes();
  }

  /** The other one. */
  @FunctionalInterface
  interface Launch {
    int run(Pointer workspace, long bytes);
  }

  /** Runs a verb of libkfac_cuda with the workspace that it asks for. */
  void kernels(String function, String what, Query query, Launch launch) {
    long bytes = query.bytes();
    if (bytes < 0) {
      context.check.kernels((int) bytes, function + "_workspace", what);
    }
    Pointer workspace = bytes == 0 ? null : Address.pointer(take(bytes));
    context.check.kernels(launch.run(workspace, bytes), function, what);
  }

  CudaContext context() {
    return context;
  }

  /** Scratch memory until the end of the call. */
  long take(long bytes) {
    return context.scratch.take(bytes);
  }

  CudaMatrixStack stack(MatrixStack stack) {
    return CudaMatrixStack.of(context, stack);
  }

  /** The data of a tensor on the device. */
  long input(Tensor tensor) {
    if (tensor instanceof DeviceTensor device) {
      return own(device).address();
    }
    return places.computeIfAbsent(
        tensor,
        t -> {
          HostTensor host = (HostTensor) t;
          long place = take((long) host.size() * Float.BYTES);
          context.staging().upload(host, place);
          return place;
        });
  }

  /** The type of a tensor's data on the device. */
  static Type type(Tensor tensor) {
    return tensor instanceof DeviceTensor device ? device.type() : Type.F32;
  }

  /** The fp32 data of a tensor on the device. */
  long inputFloats(Tensor tensor) {
    return input(floats(tensor));
  }

  /** Where the fp32 data of a result is to be written. */
  long outputFloats(Tensor tensor) {
    Long known = results.get(floats(tensor));
    if (known != null) {
      return known;
    }
    if (tensor instanceof DeviceTensor device) {
      return own(device).address();
    }
    Long input = places.get(tensor);
    return result(tensor, input != null ? input : takeFloats(tensor));
  }

  /**
   * Where the fp32 data of a result is to be written that may be an input itself and is not to
   * overwrite it before {@link #finish}.
   */
  long outputFloatsApart(Tensor tensor, Tensor input) {
    if (floats(tensor) instanceof DeviceTensor device
        && own(device).address() != inputFloats(input)) {
      return device.address();
    }
    Long known = results.get(tensor);
    return known != null ? known : result(tensor, takeFloats(tensor));
  }

  private long result(Tensor tensor, long place) {
    results.put(tensor, place);
    return place;
  }

  private long takeFloats(Tensor tensor) {
    return take(tensor.shape().size() * Float.BYTES);
  }

  private static Tensor floats(Tensor tensor) {
    if (type(tensor) != Type.F32) {
      throw new IllegalArgumentException(
          "gradients must be fp32 but a tensor of shape %s is %s"
              .formatted(tensor.shape(), type(tensor)));
    }
    return tensor;
  }

  private DeviceTensor own(DeviceTensor tensor) {
    if (tensor.shape().size() == 0) {
      return tensor;
    }
    try (cudaPointerAttributes of = new cudaPointerAttributes()) {
      context.check.runtime(
          cudaPointerGetAttributes(of, Address.pointer(tensor.address())),
          "cudaPointerGetAttributes",
          "a tensor of shape " + tensor.shape());
      boolean device = of.type() == cudaMemoryTypeDevice && of.device() == context.device();
      if (!device && of.type() != cudaMemoryTypeManaged) {
        throw new IllegalArgumentException(
            "a tensor of shape %s at 0x%x is not in memory of device %d but %s"
                .formatted(
                    tensor.shape(),
                    tensor.address(),
                    context.device(),
                    of.type() == cudaMemoryTypeDevice
                        ? "of device " + of.device()
                        : "of the host"));
      }
    }
    return tensor;
  }

  /** Doubles from the device, after all work enqueued before. */
  double[] readDoubles(long address, int count) {
    double[] values = new double[count];
    read(
        address,
        count,
        Double.BYTES,
        (bytes, start, n) -> bytes.asDoubleBuffer().get(values, start, n));
    return values;
  }

  /** Integers from the device, after all work enqueued before. */
  int[] readInts(long address, int count) {
    int[] values = new int[count];
    read(
        address,
        count,
        Integer.BYTES,
        (bytes, start, n) -> bytes.asIntBuffer().get(values, start, n));
    return values;
  }

  /** Longs from the device, after all work enqueued before. */
  long[] readLongs(long address, int count) {
    long[] values = new long[count];
    read(
        address,
        count,
        Long.BYTES,
        (bytes, start, n) -> bytes.asLongBuffer().get(values, start, n));
    return values;
  }

  private interface Sink {
    void accept(ByteBuffer bytes, int start, int count);
  }

  /** In pieces that fit the staging buffers. */
  private void read(long address, int count, int size, Sink sink) {
    int step = 1 << 16;
    for (int start = 0; start < count; start += step) {
      int n = Math.min(step, count - start);
      sink.accept(context.staging().read(address + (long) start * size, n * size), start, n);
    }
  }

  /**
   * Copies floats to scratch memory. They travel with the launch, not through the staging buffers,
   * which a captured graph would find with other contents.
   */
  long uploadFloats(double[] values) {
    long place = take((long) values.length * Float.BYTES);
    float[] floats = new float[values.length];
    for (int i = 0; i < floats.length; i++) {
      floats[i] = (float) values[i];
    }
    try (FloatPointer host = new FloatPointer(floats);
        kfac_upload_request request = new kfac_upload_request()) {
      request.values(host).to(Address.pointer(place)).bytes((long) floats.length * Float.BYTES);
      kernels(
          "kfac_upload",
          floats.length + " numbers",
          () -> kfac_cuda.kfac_upload_workspace(request, 1),
          (workspace, bytes) ->
              kfac_cuda.kfac_upload(request, 1, workspace, bytes, context.stream()));
    }
    return place;
  }

  /**
   * Copies results to where they belong. Those of the host are there on return; work on the device
   * may go on, as {@link CudaContext#settle} says.
   */
  void finish() {
    List<Copy> copies = new ArrayList<>();
    results.forEach(
        (tensor, place) -> {
          if (tensor instanceof DeviceTensor device) {
            long size = device.shape().size();
            Place from = Place.floats(place, size);
            copies.add(new Copy(from, Place.floats(device.address(), size), 1, size));
          }
        });
    new Conversion(this).copy(copies);
    results.forEach(
        (tensor, place) -> {
          if (tensor instanceof HostTensor host) {
            context.staging().download(place, host);
          }
        });
    if (context.capturing()) {
      context.scratch.keep();
    }
    context.settle();
    finished = true;
  }

  /** Takes back the scratch memory. */
  @Override
  public void close() {
    try {
      if (!finished) {
        context.synchronize(); // work that was enqueued before a failure still uses the memory
      }
    } catch (CudaException e) {
      // the failure that is on its way says more
    } finally {
      context.scratch.reset();
      scope.close();
    }
  }
}
