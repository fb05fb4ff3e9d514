// 16-bit floating-point storage, and the split of an fp32 value into two fp16 values.
#pragma once
#include <cstdint>
#include "platform.cuh"
#ifndef CUDA_EMU
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#endif

namespace kfac {

struct Half {
  uint16_t bits;
};
struct Bfloat {
  uint16_t bits;
};

__device__ __forceinline__ float value(float x) { return x; }

#ifdef CUDA_EMU
inline float value(Half x) { return emu::half_value(x.bits); }
inline float value(Bfloat x) { return emu::bfloat_value(x.bits); }
inline Half to_half(float x) {
  const _Float16 h = static_cast<_Float16>(x);
  Half r;
  std::memcpy(&r.bits, &h, sizeof h);
  return r;
}
#else
__device__ __forceinline__ float value(Half x) { return __half2float(__ushort_as_half(x.bits)); }
__device__ __forceinline__ float value(Bfloat x) { return __uint_as_float(unsigned(x.bits) << 16); }
__device__ __forceinline__ Half to_half(float x) { return {__half_as_ushort(__float2half_rn(x))}; }
#endif

// Two fp16 values in a word.
#ifdef CUDA_EMU
inline uint32_t pack_halves(float first, float second) {
  return uint32_t(to_half(first).bits) | uint32_t(to_half(second).bits) << 16;
}
#else
__device__ __forceinline__ uint32_t pack_halves(float first, float second) {
  uint32_t pair;
  asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(second), "f"(first));
  return pair;
}
#endif
__device__ __forceinline__ float first_half(uint32_t pair) { return value(Half{uint16_t(pair)}); }
__device__ __forceinline__ float second_half(uint32_t pair) { return value(Half{uint16_t(pair >> 16)}); }

// x must be a bfloat16 value.
__device__ __forceinline__ Bfloat to_bfloat(float x) { return {uint16_t(__float_as_uint(x) >> 16)}; }

__device__ __forceinline__ void put(float x, Half& to) { to = to_half(x); }
__device__ __forceinline__ void put(float x, Bfloat& to) { to = to_bfloat(x); }

__device__ __forceinline__ bool finite(float x) { return (__float_as_uint(x) & 0x7fffffffu) < 0x7f800000u; }

}  // namespace kfac
