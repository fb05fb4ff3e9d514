// Sum over a block in a fixed order.
#pragma once
#include "platform.cuh"

namespace kfac {

constexpr int SUM_THREADS = 256;

// Valid in thread 0. partial: room for one number per warp. All threads of the block must call.
__device__ inline double block_sum(double value, double* partial) {
#pragma unroll
  for (int with = 16; with > 0; with /= 2) value += __shfl_xor_sync(~0u, value, with);
  if (threadIdx.x % 32 == 0) partial[threadIdx.x / 32] = value;
  __syncthreads();
  double sum = 0.0;
  if (threadIdx.x == 0)
    for (unsigned w = 0; w < blockDim.x / 32; ++w) sum += partial[w];
  return sum;
}

struct SumShared {
  double partial[SUM_THREADS / 32];
};

}  // namespace kfac
