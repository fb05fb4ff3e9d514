package io.github.kfac4j.cpu.memory;

import java.nio.DoubleBuffer;

/**
 * A place in a block of fp64 memory outside the heap, like {@link Floats}.
 *
 * @param block keeps the memory reachable
 * @param buffer the whole block
 * @param start the index of this place in the buffer
 */
public record Doubles(Floats block, DoubleBuffer buffer, int start) {

  /** The place {@code distance} elements further on. */
  public Doubles plus(long distance) {
    return new Doubles(block.plus(2 * distance), buffer, Math.toIntExact(start + distance));
  }

  /** What native code takes; valid as long as the block is reachable. */
  public long address() {
    return block.address();
  }

  public double get(int index) {
    return buffer.get(start + index);
  }

  public void put(int index, double value) {
    buffer.put(start + index, value);
  }

  /** {@code factor * source} in place of {@code length} elements from {@code at} on. */
  public void setScaled(int at, Floats source, int from, double factor, int length) {
    for (int i = 0; i < length; i++) {
      put(at + i, factor * source.get(from + i));
    }
  }

  /** Adds {@code length} elements of a source to those from {@code at} on. */
  public void add(int at, Floats source, int from, int length) {
    for (int i = 0; i < length; i++) {
      put(at + i, get(at + i) + source.get(from + i));
    }
  }
}
