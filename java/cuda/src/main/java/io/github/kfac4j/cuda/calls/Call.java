package io.github.kfac4j.cuda.calls;

import static org.bytedeco.cuda.global.cudart.cudaMemoryTypeDevice;
import static org.bytedeco.cuda.global.cudart.cudaMemoryTypeManaged;
import static org.bytedeco.cuda.global.cudart.cudaPointerGetAttributes;

import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.cuda.CudaException;
import io.github.kfac4j.cuda.DeviceTensor;
import io.github.kfac4j.cuda.DeviceTensor.Type;
import io.github.kfac4j.cuda.calls.Conversion.Copy;
import io.github.kfac4j.cuda.calls.Conversion.PitchedPointer;
import io.github.kfac4j.cuda.context.Address;
import io.github.kfac4j.cuda.context.CudaContext;
import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.tensor.Tensor;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ObjIntConsumer;
import org.bytedeco.cuda.cudart.cudaPointerAttributes;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerScope;

/**
 * One call of a verb: where its tensors lie on the device while it lasts. Those of the host are
 * copied to scratch memory, results of the host are copied back by {@link #finish}.
 */
public final class Call implements AutoCloseable {
  private final CudaContext context;
  private final Map<Tensor, Long> inputs = new IdentityHashMap<>();
  private final Map<Tensor, Long> results = new IdentityHashMap<>();

  /** For the requests made while the call lasts: a scope of the caller's would collect them. */
  private final PointerScope scope;

  private boolean finished;

  public Call(CudaContext context) {
    this.context = context;
    context.enter();
    this.scope = new PointerScope();
  }

  /**
   * Runs a verb of libkfac_cuda with the workspace that it asks for.
   *
   * @param shapes what it is about, for the message of an exception
   * @param describe writes a request, by its index
   */
  public <R extends Pointer> void run(
      Verb<R> verb, String shapes, int count, ObjIntConsumer<R> describe) {
    try (R requests = verb.requests().apply(Math.max(1, count))) {
      for (int i = 0; i < count; i++) {
        requests.position(i);
        describe.accept(requests, i);
      }
      requests.position(0);
      long bytes = verb.workspace().bytes(requests, count);
      if (bytes < 0) {
        context.check().kernels((int) bytes, verb.name() + "_workspace", shapes);
      }
      Pointer workspace = bytes == 0 ? null : Address.pointer(take(bytes));
      int code = verb.launch().run(requests, count, workspace, bytes, context.stream());
      context.check().kernels(code, verb.name(), shapes);
    }
  }

  public CudaContext context() {
    return context;
  }

  /** Scratch memory until the end of the call. */
  public long take(long bytes) {
    return context.scratch().take(bytes);
  }

  public CudaMatrixStack stack(MatrixStack stack) {
    return CudaMatrixStack.of(context, stack);
  }

  /** The data of a tensor on the device. */
  public long input(Tensor tensor) {
    if (tensor instanceof DeviceTensor device) {
      return own(device).address();
    }
    return inputs.computeIfAbsent(
        tensor,
        t -> {
          HostTensor host = (HostTensor) t;
          long address = take((long) host.size() * Float.BYTES);
          context.staging().upload(host, address);
          return address;
        });
  }

  /** The type of a tensor's data on the device. */
  public static Type type(Tensor tensor) {
    return tensor instanceof DeviceTensor device ? device.type() : Type.F32;
  }

  /** The fp32 data of a tensor on the device. */
  public long inputFloats(Tensor tensor) {
    return input(floats(tensor));
  }

  /** Where the fp32 data of a result is to be written. */
  public long outputFloats(Tensor tensor) {
    Long known = results.get(floats(tensor));
    if (known != null) {
      return known;
    }
    if (tensor instanceof DeviceTensor device) {
      return own(device).address();
    }
    Long input = inputs.get(tensor);
    return result(tensor, input != null ? input : takeFloats(tensor));
  }

  /**
   * Where the fp32 data of a result is to be written that may be an input itself and is not to
   * overwrite it before {@link #finish}.
   */
  public long outputFloatsApart(Tensor tensor, Tensor input) {
    if (floats(tensor) instanceof DeviceTensor device
        && own(device).address() != inputFloats(input)) {
      return device.address();
    }
    Long known = results.get(tensor);
    return known != null ? known : result(tensor, takeFloats(tensor));
  }

  private long result(Tensor tensor, long address) {
    results.put(tensor, address);
    return address;
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
      context
          .check()
          .runtime(
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
  public double[] readDoubles(long address, int count) {
    double[] values = new double[count];
    read(
        address,
        count,
        Double.BYTES,
        (bytes, start, n) -> bytes.asDoubleBuffer().get(values, start, n));
    return values;
  }

  /** Integers from the device, after all work enqueued before. */
  public int[] readInts(long address, int count) {
    int[] values = new int[count];
    read(
        address,
        count,
        Integer.BYTES,
        (bytes, start, n) -> bytes.asIntBuffer().get(values, start, n));
    return values;
  }

  /** Longs from the device, after all work enqueued before. */
  public long[] readLongs(long address, int count) {
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
  public long uploadFloats(double[] values) {
    long address = take((long) values.length * Float.BYTES);
    float[] floats = new float[values.length];
    for (int i = 0; i < floats.length; i++) {
      floats[i] = (float) values[i];
    }
    try (FloatPointer host = new FloatPointer(floats)) {
      run(
          Verb.UPLOAD,
          floats.length + " numbers",
          1,
          (request, i) ->
              request
                  .values(host)
                  .to(Address.pointer(address))
                  .bytes((long) floats.length * Float.BYTES));
    }
    return address;
  }

  /**
   * Copies results to where they belong. Those of the host are there on return; work on the device
   * may go on, as {@link CudaContext#settle} says.
   */
  public void finish() {
    List<Copy> copies = new ArrayList<>();
    results.forEach(
        (tensor, address) -> {
          if (tensor instanceof DeviceTensor device) {
            long size = device.shape().size();
            PitchedPointer from = PitchedPointer.floats(address, size);
            copies.add(new Copy(from, PitchedPointer.floats(device.address(), size), 1, size));
          }
        });
    new Conversion(this).copy(copies);
    results.forEach(
        (tensor, address) -> {
          if (tensor instanceof HostTensor host) {
            context.staging().download(address, host);
          }
        });
    if (context.capturing()) {
      context.scratch().keep();
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
      context.scratch().reset();
      scope.close();
    }
  }
}
