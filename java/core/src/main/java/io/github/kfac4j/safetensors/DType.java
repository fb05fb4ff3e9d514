package io.github.kfac4j.safetensors;

/**
 * Element types, named as in the file format, version 0.6. All are kept as they are; what is not
 * marked "kept" can be {@linkplain StoredTensor#toDoubles read as numbers} too.
 */
public enum DType {
  /** One byte, 0 or 1; kept. */
  BOOL(8),
  /** 4-bit floating point, two in a byte; kept. */
  F4(4),
  /** 6-bit floating point, 2 exponent bits; kept. */
  F6_E2M3(6),
  /** 6-bit floating point, 3 exponent bits; kept. */
  F6_E3M2(6),
  /** Unsigned 8-bit integer. */
  U8(8),
  /** Signed 8-bit integer. */
  I8(8),
  /** 8-bit floating point, 5 exponent bits; kept. */
  F8_E5M2(8),
  /** 8-bit floating point, 4 exponent bits; kept. */
  F8_E4M3(8),
  /** 8-bit power of two; kept. */
  F8_E8M0(8),
  /** Signed 16-bit integer. */
  I16(16),
  /** Unsigned 16-bit integer. */
  U16(16),
  /** IEEE 754 half precision. */
  F16(16),
  /** The upper half of an {@link #F32}. */
  BF16(16),
  /** Signed 32-bit integer. */
  I32(32),
  /** Unsigned 32-bit integer. */
  U32(32),
  /** IEEE 754 single precision. */
  F32(32),
  /** Two {@link #F32}, a complex number; kept. */
  C64(64),
  /** IEEE 754 double precision. */
  F64(64),
  /** Signed 64-bit integer. */
  I64(64),
  /** Unsigned 64-bit integer; kept. */
  U64(64),
  /** A type that this version does not know, of any size; kept under {@link StoredTensor#type}. */
  OTHER(0);

  private final int bits;

  DType(int bits) {
    this.bits = bits;
  }

  /** Size of one element in bits; 0 if it is not known. */
  public int bits() {
    return bits;
  }

  /** The type of that name, {@link #OTHER} if there is none. */
  static DType named(String type) {
    for (DType dtype : values()) {
      if (dtype.name().equals(type)) {
        return dtype;
      }
    }
    return OTHER;
  }

  /**
   * The bytes that a number of elements take.
   *
   * @throws ArithmeticException if they are not whole bytes, or beyond 2^63 bits
   */
  long byteCount(long elements) {
    long total = Math.multiplyExact(elements, (long) bits);
    if (total % Byte.SIZE != 0) {
      throw new ArithmeticException(elements + " elements of " + this + " are not whole bytes");
    }
    return total / Byte.SIZE;
  }
}
