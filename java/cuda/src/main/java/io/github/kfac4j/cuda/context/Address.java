package io.github.kfac4j.cuda.context;

import org.bytedeco.cuda.cudart.CUstream_st;
import org.bytedeco.javacpp.DoublePointer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.IntPointer;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.javacpp.Pointer;

/** Addresses as JavaCPP's pointers, which own nothing. */
public final class Address {
  private Address() {}

  public static long of(Pointer pointer) {
    return pointer.address();
  }

  public static Pointer pointer(long address) {
    return new At(address);
  }

  /** A stream; null for the default stream. */
  public static CUstream_st stream(long address) {
    return address == 0 ? null : new CUstream_st(new At(address));
  }

  public static FloatPointer floats(long address) {
    return new FloatPointer(new At(address));
  }

  public static DoublePointer doubles(long address) {
    return new DoublePointer(new At(address));
  }

  public static IntPointer ints(long address) {
    return new IntPointer(new At(address));
  }

  public static LongPointer longs(long address) {
    return new LongPointer(new At(address));
  }

  private static final class At extends Pointer {
    At(long address) {
      this.address = address;
    }
  }
}
