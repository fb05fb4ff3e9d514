package io.github.kfac4j.cpu.memory;

import java.util.ArrayList;
import java.util.List;

/**
 * Scratch memory that is taken piece by piece, returned all at once and kept for the next call: a
 * steady state allocates nothing.
 */
public final class Arena implements AutoCloseable {
  private final List<Floats> blocks = new ArrayList<>();
  private final List<Integer> lengths = new ArrayList<>();
  private int block;
  private int used;

  /** Uninitialised memory at a multiple of 64 bytes, valid until the next {@link #reset}. */
  public Floats take(long length) {
    int at = claim(length);
    return blocks.get(block).plus(at);
  }

  /** Memory for {@code length} elements of fp64. */
  public Doubles takeDoubles(long length) {
    return take(2 * length).asDoubles();
  }

  /** The same memory as an address, for which no object is made. */
  public long takeAddress(long length) {
    int at = claim(length);
    return blocks.get(block).address(at);
  }

  /** Takes memory; returns where it begins in the current block. */
  private int claim(long length) {
    int unit = Floats.ALIGNMENT;
    long padded = (Math.max(1, length) + unit - 1) / unit * unit;
    while (block < blocks.size() && lengths.get(block) - used < padded) {
      block++;
      used = 0;
    }
    if (block == blocks.size()) {
      blocks.add(Floats.allocate(padded));
      lengths.add((int) padded); // it was allocated
    }
    used += (int) padded;
    return used - (int) padded;
  }

  /** A point to which {@link #reset(long)} can return. */
  public long mark() {
    return ((long) block << 32) | used;
  }

  /** Returns everything taken since the mark. */
  public void reset(long mark) {
    block = (int) (mark >> 32);
    used = (int) mark;
  }

  /** Returns everything; if that was in several blocks, they become one. */
  public void reset() {
    if (blocks.size() > 1) {
      long total = sizeInBytes() / Float.BYTES;
      if (total <= Floats.LARGEST) {
        close();
        blocks.add(Floats.allocate((int) total));
        lengths.add((int) total);
      }
    }
    reset(0);
  }

  /**
   * Makes sure that a number of floats can be taken without allocating; everything must be free.
   */
  public void reserve(long length) {
    boolean fits = length <= Floats.LARGEST - Floats.ALIGNMENT; // into one block
    if (length > 0 && fits && (blocks.size() != 1 || lengths.get(0) < length)) {
      close();
      take(length);
      reset(0);
    }
  }

  /** How much of it is taken. */
  public long takenFloats() {
    long sum = used;
    for (int i = 0; i < block; i++) {
      sum += lengths.get(i);
    }
    return sum;
  }

  /** The bytes held. */
  public long sizeInBytes() {
    long sum = 0;
    for (int length : lengths) {
      sum += length;
    }
    return Float.BYTES * sum;
  }

  @Override
  public void close() {
    blocks.forEach(Floats::free);
    blocks.clear();
    lengths.clear();
    reset(0);
  }
}
