// The only place where nvcc and the CPU emulation differ in how a kernel is declared and launched.
#pragma once
#ifdef CUDA_EMU
#include "async_emu.h"
#include "tensor_emu.h"
#define KFAC_SHARED(Type, name) Type& name = *reinterpret_cast<Type*>(emu::block->shared.data())
#else
#include <cuda_runtime.h>
#define KFAC_SHARED(Type, name)                         \
  extern __shared__ __align__(16) unsigned char raw_[]; \
  Type& name = *reinterpret_cast<Type*>(raw_)
#endif

namespace kfac {

// The same value, but the compiler no longer knows it: it then does not keep things computed from it in registers.
__device__ __forceinline__ int opaque(int value) {
  asm volatile("" : "+r"(value));
  return value;
}

// For a pointer or an address the same: the compiler then keeps the sum in a register, and constants that are added to
// it become part of the instruction.
__device__ __forceinline__ const char* opaque(const char* pointer) {
#ifndef CUDA_EMU
  asm volatile("" : "+l"(pointer));
#endif
  return pointer;
}
__device__ __forceinline__ unsigned opaque(unsigned address) {
  asm volatile("" : "+r"(address));
  return address;
}

// base + row * pitch in one instruction, which the compiler would share among bases and then need two for each.
__device__ __forceinline__ const char* row_of(const char* base, int row, int pitch) {
#ifdef CUDA_EMU
  return base + (long long)row * pitch;
#else
  asm("mad.wide.s32 %0, %1, %2, %0;" : "+l"(base) : "r"(row), "r"(pitch));
  return base;
#endif
}

// Launches kernel<<<blocks, shape, shared>>>(arguments); returns 0 or the cudaError_t.
template <class... Parameters, class... Arguments>
int launch(void (*kernel)(Parameters...), long long blocks, dim3 shape, size_t shared, cudaStream_t stream,
           const Arguments&... arguments) {
  static_assert((sizeof(Parameters) + ... + 0) <= 32764, "more parameters than a kernel takes (CUDA 12.1)");
#ifdef CUDA_EMU
  const dim3 grid{unsigned(blocks)};
  if (!emu::launchable(grid, shape, shared)) return cudaErrorInvalidConfiguration;
  return emulatedLaunch(
      stream, [=] { emu::launch(grid, shape, shared, [&] { kernel(static_cast<Parameters>(arguments)...); }); });
#else
  if (shared > 48 * 1024) {
    cudaError_t error = cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, int(shared));
    if (error != cudaSuccess) return error;
  }
  kernel<<<unsigned(blocks), shape, shared, stream>>>(static_cast<Parameters>(arguments)...);
  return cudaGetLastError();
#endif
}

}  // namespace kfac
