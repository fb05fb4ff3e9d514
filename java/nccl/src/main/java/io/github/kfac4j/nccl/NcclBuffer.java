package io.github.kfac4j.nccl;

import static org.bytedeco.cuda.global.cudart.cudaFree;
import static org.bytedeco.cuda.global.cudart.cudaFreeHost;
import static org.bytedeco.cuda.global.cudart.cudaMalloc;
import static org.bytedeco.cuda.global.cudart.cudaMallocHost;
import static org.bytedeco.cuda.global.cudart.cudaMemcpyAsync;
import static org.bytedeco.cuda.global.cudart.cudaMemcpyDeviceToHost;
import static org.bytedeco.cuda.global.cudart.cudaMemcpyHostToDevice;

import java.nio.ByteBuffer;
import org.bytedeco.cuda.cudart.CUstream_st;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Pointer;

/**
 * Device memory and pinned host memory beside it, through which a caller's buffers go; as large as
 * was needed so far.
 */
final class NcclBuffer {
  private final NcclCheck check;
  private final CUstream_st stream;
  private final Pointer device = new Address(0);
  private final Pointer pinned = new Address(0);
  private long capacity;

  NcclBuffer(NcclCheck check, CUstream_st stream) {
    this.check = check;
    this.stream = stream;
  }

  /** Makes room; what was there is lost. */
  void reserve(int bytes) {
    if (bytes > capacity) {
      free();
      long room = Math.max(4096, Long.highestOneBit(2L * bytes - 1));
      check.runtime(cudaMalloc(device, room), "cudaMalloc of " + room + " bytes");
      check.runtime(cudaMallocHost(pinned, room), "cudaMallocHost of " + room + " bytes");
      capacity = room;
    }
  }

  /** Device memory from an offset on. */
  Pointer at(int offset) {
    return new Address(device.address() + offset);
  }

  /** Starts to copy to the device. */
  void upload(ByteBuffer source) {
    int bytes = source.remaining();
    reserve(bytes);
    if (bytes > 0) {
      host(bytes).put(source.duplicate());
      copy(device, pinned, bytes, cudaMemcpyHostToDevice);
    }
  }

  /** Starts to copy from the device; {@link #store} hands it over when that has ended. */
  void download(int bytes) {
    if (bytes > 0) {
      copy(pinned, device, bytes, cudaMemcpyDeviceToHost);
    }
  }

  void store(ByteBuffer target) {
    if (target.hasRemaining()) {
      target.duplicate().put(host(target.remaining()));
    }
  }

  private ByteBuffer host(int bytes) {
    return new BytePointer(pinned).capacity(bytes).asByteBuffer();
  }

  private void copy(Pointer to, Pointer from, int bytes, int kind) {
    check.runtime(
        cudaMemcpyAsync(to, from, bytes, kind, stream), "cudaMemcpyAsync of " + bytes + " bytes");
  }

  /** Idempotent. */
  void free() {
    cudaFree(device);
    cudaFreeHost(pinned);
    device.setNull();
    pinned.setNull();
    capacity = 0;
  }

  /** An address as a pointer, which owns nothing. */
  private static final class Address extends Pointer {
    Address(long address) {
      this.address = address;
    }
  }
}
