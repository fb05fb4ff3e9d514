package io.github.kfac4j.cpu;

import java.nio.DoubleBuffer;

/**
 * A place in a block of fp64 memory outside the heap, like {@link Floats}.
 *
 * @param block keeps the memory reachable
 * @param buffer the whole block
 * @param start the index of this place in the buffer
 */
record Doubles(Floats block, DoubleBuffer buffer, int start) {

  /** The place {@code distance} elements further on. */
  Doubles plus(long distance) {
    return new Doubles(block.plus(2 * distance), buffer, Math.toIntExact(start + distance));
  }

  /** What native code takes; valid as long as the block is reachable. */
  long address() {
    return block.address();
  }

  double get(int index) {
    return buffer.get(start + index);
  }

  void put(int index, double value) {
    buffer.put(start + index, value);
  }

  /** {@code factor * source} in place of {@code length} elements. */
  void setScaled(Floats source, double factor, int length) {
    for (int i = 0; i < length; i++) {
      put(i, factor * source.get(i));
    }
  }
}
