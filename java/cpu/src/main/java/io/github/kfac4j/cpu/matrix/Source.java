package io.github.kfac4j.cpu.matrix;

import io.github.kfac4j.cpu.memory.Arena;
import io.github.kfac4j.cpu.memory.Floats;
import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.tensor.Tensor;
import java.nio.DoubleBuffer;
import java.nio.FloatBuffer;

/**
 * A tensor's data as fp32 outside the heap: in place if it lies there already, else copied to
 * scratch memory, as much at a time as is asked for.
 */
public final class Source {
  private final HostTensor tensor;
  private final Floats memory;

  private Source(HostTensor tensor) {
    this.tensor = tensor;
    this.memory =
        !tensor.isDouble() && Floats.canWrap(tensor.floats()) ? Floats.wrap(tensor.floats()) : null;
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

  /** Copies elements {@code [start, start + length)}. */
  public void copyTo(Floats target, long start, int length) {
    int from = Math.toIntExact(start);
    if (inPlace()) {
      target.copy(memory.plus(from), length);
    } else if (tensor.isDouble()) {
      DoubleBuffer doubles = tensor.doubles();
      for (int i = 0; i < length; i++) {
        target.put(i, (float) doubles.get(from + i));
      }
    } else {
      FloatBuffer floats = tensor.floats();
      target.buffer().put(target.start(), floats, from, length);
    }
  }
}
