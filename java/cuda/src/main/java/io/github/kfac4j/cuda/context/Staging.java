package io.github.kfac4j.cuda.context;

import static org.bytedeco.cuda.global.cudart.cudaEventCreateWithFlags;
import static org.bytedeco.cuda.global.cudart.cudaEventDestroy;
import static org.bytedeco.cuda.global.cudart.cudaEventDisableTiming;
import static org.bytedeco.cuda.global.cudart.cudaEventRecord;
import static org.bytedeco.cuda.global.cudart.cudaEventSynchronize;
import static org.bytedeco.cuda.global.cudart.cudaFreeHost;
import static org.bytedeco.cuda.global.cudart.cudaMallocHost;
import static org.bytedeco.cuda.global.cudart.cudaMemcpyAsync;
import static org.bytedeco.cuda.global.cudart.cudaMemcpyDeviceToHost;
import static org.bytedeco.cuda.global.cudart.cudaMemcpyHostToDevice;

import io.github.kfac4j.tensor.HostTensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.DoubleBuffer;
import java.nio.FloatBuffer;
import org.bytedeco.cuda.cudart.CUevent_st;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Pointer;

/**
 * Copies between host and device through two pinned buffers: while one is on its way, the other is
 * filled or emptied, converting to or from fp32 where needed.
 */
public final class Staging implements AutoCloseable {
  private static final int CHUNK = 4 << 20;

  private final CudaContext context;
  private final Slot[] slots = new Slot[2];
  private int turn;

  Staging(CudaContext context) {
    this.context = context;
    for (int i = 0; i < slots.length; i++) {
      slots[i] = new Slot();
    }
  }

  /** Moves the elements from {@code start} on that fit the bytes of {@code part}. */
  @FunctionalInterface
  private interface Mover {
    void move(int start, ByteBuffer part);
  }

  /** A pinned buffer and the event after which it is free again. */
  private final class Slot {
    private final Pointer memory = Address.pointer(0);
    private final ByteBuffer bytes;
    private final CUevent_st event = new CUevent_st();

    Slot() {
      context
          .check()
          .runtime(cudaMallocHost(memory, CHUNK), "cudaMallocHost", CHUNK + " bytes for staging");
      bytes = new BytePointer(memory).capacity(CHUNK).asByteBuffer().order(ByteOrder.nativeOrder());
      context
          .check()
          .runtime(
              cudaEventCreateWithFlags(event, cudaEventDisableTiming),
              "cudaEventCreate",
              "staging");
      record();
    }

    void record() {
      context
          .check()
          .runtime(cudaEventRecord(event, context.stream()), "cudaEventRecord", "staging");
    }

    void await() {
      context.check().runtime(cudaEventSynchronize(event), "cudaEventSynchronize", "staging");
    }

    void copy(Pointer to, Pointer from, long size, int kind) {
      context
          .check()
          .runtime(
              cudaMemcpyAsync(to, from, size, kind, context.stream()),
              "cudaMemcpyAsync",
              size + " bytes");
      record();
    }

    /** The first bytes, from position 0. */
    ByteBuffer part(int size) {
      return bytes.duplicate().order(ByteOrder.nativeOrder()).limit(size);
    }

    void close() {
      cudaEventDestroy(event);
      cudaFreeHost(memory);
    }
  }

  private Slot next() {
    turn = 1 - turn;
    return slots[turn];
  }

  /** Fills {@code size} elements on the device; enqueued, not complete, on return. */
  private void upload(int size, int width, Mover source, long target) {
    int step = CHUNK / width;
    for (int start = 0; start < size; start += step) {
      int bytes = Math.min(step, size - start) * width;
      Slot slot = next();
      slot.await();
      source.move(start, slot.part(bytes));
      Pointer to = Address.pointer(target + (long) start * width);
      slot.copy(to, slot.memory, bytes, cudaMemcpyHostToDevice);
    }
  }

  /** Reads {@code size} elements from the device, after all work enqueued before. */
  private void download(long source, int size, int width, Mover target) {
    int step = CHUNK / width;
    Slot full = null;
    int from = 0;
    for (int start = 0; start < size; start += step) {
      int bytes = Math.min(step, size - start) * width;
      Slot slot = next();
      slot.await();
      Pointer at = Address.pointer(source + (long) start * width);
      slot.copy(slot.memory, at, bytes, cudaMemcpyDeviceToHost);
      if (full != null) {
        empty(full, from, step * width, target);
      }
      full = slot;
      from = start;
    }
    if (full != null) {
      empty(full, from, (size - from) * width, target);
    }
  }

  private static void empty(Slot slot, int start, int bytes, Mover target) {
    slot.await();
    target.move(start, slot.part(bytes));
  }

  public void upload(HostTensor source, long target) {
    upload(
        source.size(),
        Float.BYTES,
        (start, part) -> source.read(start, part.asFloatBuffer()),
        target);
  }

  public void download(long source, HostTensor target) {
    download(
        source,
        target.size(),
        Float.BYTES,
        (start, part) -> target.write(start, part.asFloatBuffer()));
  }

  /** Rounds to fp32. */
  public void uploadFloats(double[] source, long target) {
    upload(
        source.length,
        Float.BYTES,
        (start, part) -> put(part.asFloatBuffer(), source, start),
        target);
  }

  public void downloadFloats(long source, double[] target) {
    download(
        source,
        target.length,
        Float.BYTES,
        (start, part) -> get(part.asFloatBuffer(), target, start));
  }

  public void uploadDoubles(double[] source, long target) {
    upload(
        source.length,
        Double.BYTES,
        (start, part) -> {
          DoubleBuffer doubles = part.asDoubleBuffer();
          doubles.put(source, start, doubles.remaining());
        },
        target);
  }

  public void downloadDoubles(long source, double[] target) {
    download(
        source,
        target.length,
        Double.BYTES,
        (start, part) -> {
          DoubleBuffer doubles = part.asDoubleBuffer();
          doubles.get(target, start, doubles.remaining());
        });
  }

  /** A small piece of device memory, after all work enqueued before; valid until the next call. */
  public ByteBuffer read(long source, int bytes) {
    if (bytes > CHUNK) {
      throw new IllegalArgumentException(bytes + " bytes are more than a staging buffer holds");
    }
    Slot slot = next();
    slot.await();
    slot.copy(slot.memory, Address.pointer(source), bytes, cudaMemcpyDeviceToHost);
    slot.await();
    return slot.part(bytes);
  }

  private static void put(FloatBuffer part, double[] values, int start) {
    int n = part.remaining();
    for (int i = 0; i < n; i++) {
      part.put(i, (float) values[start + i]);
    }
  }

  private static void get(FloatBuffer part, double[] values, int start) {
    int n = part.remaining();
    for (int i = 0; i < n; i++) {
      values[start + i] = part.get(i);
    }
  }

  @Override
  public void close() {
    for (Slot slot : slots) {
      slot.close();
    }
  }
}
