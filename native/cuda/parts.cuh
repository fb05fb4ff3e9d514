// Sums that the blocks of a launch leave behind, added up by a second launch in a fixed order.
#pragma once
#include "plan.h"
#include "reduce.cuh"

namespace kfac {
namespace {

struct PartsJob {
  const double* parts;  // [count]
  double* sum;
  long long count;
};

__global__ void __launch_bounds__(SUM_THREADS) sum_parts_kernel(Table<PartsJob> table) {
  KFAC_SHARED(SumShared, shared);
  const PartsJob job = table.jobs[blockIdx.x];
  double sum = 0.0;
  for (long long i = threadIdx.x; i < job.count; i += SUM_THREADS) sum += job.parts[i];
  sum = block_sum(sum, shared.partial);
  if (threadIdx.x == 0) *job.sum = sum;
}

}  // namespace
}  // namespace kfac
