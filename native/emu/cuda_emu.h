// CUDA for g++: the names a kernel uses, on top of block.h. For tests only; says nothing about speed,
// memory ordering between blocks, or anything else that only the hardware can show.
#pragma once
#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>
#include "block.h"

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(...)
#define __grid_constant__

using std::isfinite;
using std::max;
using std::min;

struct alignas(16) float4 {
  float x, y, z, w;
};
inline float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }

using cudaStream_t = struct CUstream_st*;
enum cudaError_t { cudaSuccess = 0, cudaErrorInvalidConfiguration = 9 };
inline cudaError_t cudaGetDeviceCount(int* n) {
  *n = 1;
  return cudaSuccess;
}
inline const char* cudaGetErrorString(cudaError_t e) {
  return e == cudaSuccess ? "no error (emulated)" : "CUDA error (emulated)";
}

namespace emu {

inline unsigned lane() { return block->current->number & 31; }

inline Warp& exchange(unsigned mask, const void* value, size_t bytes) {
  Warp& w = block->warps[block->current->number >> 5];
  if (!(mask >> lane() & 1)) die("calling lane is not in its own mask");
  std::memcpy(w.in[lane()], value, bytes);
  block->current->mask = mask;
  wait(AT_WARP_BARRIER);
  return w;
}
template <class T>
T deposited(const Warp& w, unsigned lane, int word = 0) {
  T value;
  std::memcpy(&value, reinterpret_cast<const char*>(w.out[lane & 31]) + word * sizeof(T), sizeof(T));
  return value;
}

}  // namespace emu

inline void __syncthreads(int line = __builtin_LINE()) {
  emu::block->current->line = line;
  emu::wait(emu::AT_BLOCK_BARRIER);
}
inline int __syncthreads_and(int vote, int line = __builtin_LINE()) {
  emu::block->current->vote = vote != 0;
  __syncthreads(line);
  return emu::block->unanimous;
}
inline void __syncwarp(unsigned mask = ~0u) {
  int nothing = 0;
  emu::exchange(mask, &nothing, sizeof nothing);
}
template <class T>
T __shfl_xor_sync(unsigned mask, T value, int with) {
  const unsigned source = emu::lane() ^ with;
  return emu::deposited<T>(emu::exchange(mask, &value, sizeof value), source);
}
inline bool __all_sync(unsigned mask, int vote) {
  const emu::Warp& w = emu::exchange(mask, &vote, sizeof vote);
  bool all = true;
  for (unsigned l = 0; l < 32; ++l)
    if (mask >> l & 1) all &= emu::deposited<int>(w, l) != 0;
  return all;
}
inline unsigned __reduce_max_sync(unsigned mask, unsigned value) {
  const emu::Warp& w = emu::exchange(mask, &value, sizeof value);
  unsigned largest = 0;
  for (unsigned l = 0; l < 32; ++l)
    if (mask >> l & 1) largest = max(largest, emu::deposited<unsigned>(w, l));
  return largest;
}
template <class T>
T atomicMin(T* address, T value) {
  std::atomic_ref<T> a(*address);
  T old = a.load();
  while (value < old && !a.compare_exchange_weak(old, value)) {
  }
  return old;
}
// As wrong as the hardware's may be: 2 units in the last place.
inline float rsqrtf(float x) {
  const float r = 1.0f / std::sqrt(x);
  return r > 0.0f && std::isfinite(r) ? __builtin_bit_cast(float, __builtin_bit_cast(unsigned, r) + 2u) : r;
}
inline float __uint_as_float(unsigned bits) {
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}
inline unsigned __float_as_uint(float value) {
  unsigned bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}
