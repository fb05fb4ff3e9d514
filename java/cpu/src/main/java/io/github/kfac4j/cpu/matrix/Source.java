package io.github.kfac4j.cpu.matrix;

import io.github.kfac4j.cpu.memory.Arena;
import io.github.kfac4j.cpu.memory.Doubles;
import io.github.kfac4j.cpu.memory.Floats;
import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.tensor.Tensor;

/**
 * A tensor's data as fp32 outside the heap: in place if it lies there already, else copied to
 * scratch memory, as much at a time as is asked for.
 */
public final class Source {
  private static final int CHUNK = 4096;

  private final HostTensor tensor;
  private final Floats memory;

  private Source(HostTensor tensor) {
    this.tensor = tensor;
    this.memory = inPlace(tensor) ? Floats.wrap(tensor.floats()) : null;
  }

  /** Whether a tensor's own memory is what the backend works on. */
  static boolean inPlace(HostTensor tensor) {
    return !tensor.isDouble() && tensor.isContiguous() && Floats.canWrap(tensor.floats());
  }

  /**
   * The data of a host tensor.
   *
   * @throws IllegalArgumentException for a tensor of another device
   */
  public static Source of(Tensor tensor) {
    if (tensor instanceof HostTensor host) {
      return new Source(host);
    }
    throw new IllegalArgumentException(
        "the cpu backend reads host tensors, not " + tensor.getClass().getName());
  }

  /** Whether {@link #view} copies nothing. */
  public boolean inPlace() {
    return memory != null;
  }

  /** Elements {@code [start, start + length)}; read only. */
  public Floats view(long start, int length, Arena scratch) {
    if (inPlace()) {
      return memory.plus(start);
    }
    Floats copy = scratch.take(length);
    copyTo(copy, start, length);
    return copy;
  }

  /** Copies elements {@code [start, start + length)} with all their digits. */
  public void copyTo(Doubles target, long start, int length) {
    int from = Math.toIntExact(start);
    if (inPlace()) {
      target.setScaled(0, memory, from, 1, length);
      return;
    }
    double[] chunk = new double[Math.min(length, CHUNK)];
    for (int done = 0; done < length; done += chunk.length) {
      int n = Math.min(chunk.length, length - done);
      tensor.read(from + done, chunk, 0, n);
      for (int i = 0; i < n; i++) {
        target.put(done + i, chunk[i]);
      }
    }
  }

  /** Copies elements {@code [start, start + length)}. */
  public void copyTo(Floats target, long start, int length) {
    int from = Math.toIntExact(start);
    if (inPlace()) {
      target.copy(memory.plus(from), length);
    } else {
      tensor.read(from, target.buffer().slice(target.start(), length));
    }
  }
}
