package io.github.kfac4j.testkit.attack;

import java.util.Random;

/**
 * Choices read from bytes, so that a fuzzer that changes bytes changes choices; beyond the last
 * byte they come from a generator that the bytes seed.
 */
public final class Choices {
  private final byte[] bytes;
  private final Random rest;
  private int at;

  /** Choices of a fuzzer. */
  public Choices(byte[] bytes) {
    this.bytes = bytes.clone();
    long seed = 1;
    for (byte b : bytes) {
      seed = 31 * seed + b;
    }
    this.rest = new Random(seed);
  }

  /** Choices from a seed alone. */
  public Choices(long seed) {
    this.bytes = new byte[0];
    this.rest = new Random(seed);
  }

  private int next() {
    return at < bytes.length ? bytes[at++] & 0xff : rest.nextInt(256);
  }

  /** A whole number from {@code least} to {@code most}, both included. */
  public int number(int least, int most) {
    return least + Math.floorMod(next() << 8 | next(), most - least + 1);
  }

  /** True in one of {@code n} cases. */
  public boolean oneIn(int n) {
    return number(1, n) == n;
  }

  /** One of some values. */
  @SafeVarargs
  public final <T> T of(T... values) {
    return values[number(0, values.length - 1)];
  }

  /** {@code 10^x} for x from {@code least} to {@code most}. */
  public double size(double least, double most) {
    return Math.pow(10, least + (most - least) * number(0, 999) / 999.0);
  }

  /** A seed for values that need not be chosen one by one. */
  public Random random() {
    return new Random((long) next() << 16 | next() << 8 | next());
  }
}
