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

  static native int kfac_cpu_lanes(int n);

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

  /** A plan's address. */
  @Cast("int64_t")
  static native long kfac_cpu_invert_plan(
      int n,
      @Cast("const float*") long source,
      double scale,
      double damping,
      @Cast("float*") long inverse);

  static native double kfac_cpu_dot(
      @Cast("int64_t") long n, @Cast("const float*") long x, @Cast("const float*") long y);

  static native double kfac_cpu_dot_and_copy(
      int rows,
      int cols,
      @Cast("const float*") long u,
      @Cast("int64_t") long uStride,
      @Cast("const float*") long w,
      @Cast("int64_t") long wStride,
      @Cast("float*") long copy);

  static native void kfac_cpu_transpose(
      int rows,
      int cols,
      @Cast("const float*") long a,
      @Cast("int64_t") long aStride,
      @Cast("float*") long b,
      @Cast("int64_t") long bStride);

  static native int kfac_cpu_panel_width();

  static native void kfac_cpu_pack(
      int k,
      int n,
      @Cast("const float*") long b,
      @Cast("int64_t") long row,
      @Cast("int64_t") long col,
      @Cast("float*") long panels);

  static native void kfac_cpu_multiply(
      int m,
      int n,
      int k,
      @Cast("const float*") long a,
      @Cast("int64_t") long aRow,
      @Cast("int64_t") long aCol,
      @Cast("const float*") long panels,
      float alpha,
      float beta,
      @Cast("float*") long c,
      @Cast("int64_t") long cRow,
      @Cast("int64_t") long cCol);

  static native void kfac_cpu_multiply_short(
      int m,
      int n,
      int k,
      @Cast("const float*") long a,
      @Cast("int64_t") long aCol,
      @Cast("const float*") long panels,
      double alpha,
      double beta,
      @Cast("float*") long c,
      @Cast("int64_t") long cRow);

  /** A plan's address. */
  @Cast("int64_t")
  static native long kfac_cpu_accumulate_plan(
      @Cast("const kfac_cpu_patch_samples*") long[] samples,
      @Cast("const float*") long images,
      double decay,
      double weight,
      @Cast("float*") long target,
      int method);

  static native int kfac_cpu_plan_phases(@Cast("const kfac_cpu_plan*") long plan);

  static native int kfac_cpu_plan_tasks(@Cast("const kfac_cpu_plan*") long plan, int phase);

  @Cast("int64_t")
  static native long kfac_cpu_plan_shared(@Cast("const kfac_cpu_plan*") long plan);

  @Cast("int64_t")
  static native long kfac_cpu_plan_scratch(@Cast("const kfac_cpu_plan*") long plan);

  static native void kfac_cpu_plan_run(
      @Cast("const kfac_cpu_plan*") long plan,
      int phase,
      int task,
      @Cast("float*") long shared,
      @Cast("float*") long scratch);

  static native int kfac_cpu_plan_status(@Cast("const kfac_cpu_plan*") long plan);

  static native void kfac_cpu_plan_free(@Cast("kfac_cpu_plan*") long plan);
}
