package io.github.kfac4j.cpu;

import org.bytedeco.javacpp.annotation.Cast;
import org.bytedeco.javacpp.annotation.NoException;
import org.bytedeco.javacpp.annotation.Platform;

/**
 * The C interface of libkfac_cpu; {@code native/include/kfac_cpu.h} says what each function does.
 * Memory is passed by its address, so that a call makes no objects: whoever calls keeps the memory
 * reachable until the call returns.
 */
@Platform(include = "kfac_cpu.h", link = "kfac_cpu", library = "jnikfac_cpu")
@NoException
final class KfacCpu {
  private KfacCpu() {}

  @Cast("const char*")
  static native String kfac_cpu_instructions();

  static native int kfac_cpu_lanes();

  @Cast("int64_t")
  static native long kfac_cpu_invert_floats(int n);

  static native void kfac_cpu_invert(
      int n,
      int count,
      @Cast("const float* const*") long[] source,
      @Cast("const double*") double[] scale,
      @Cast("const double*") double[] damping,
      @Cast("float* const*") long[] inverse,
      @Cast("int32_t*") int[] status,
      @Cast("float*") long work);
}
