#include "elements.cuh"
#include "reduce.cuh"
#include "verbs.h"

namespace kfac {
namespace {

struct Job {
  kfac_squared_norms_request request;
  double* parts;  // [count, blocks]
  long long blocks;
};

__global__ void __launch_bounds__(ELEMENT_THREADS) square_parts_kernel(Table<Job> table) {
  KFAC_SHARED(SumShared, shared);
  long long local;
  const Job job = table.find(blockIdx.x, local);
  const long long size = (long long)job.request.n * job.request.n;
  const float* matrix = job.request.matrix + local / job.blocks * size;
  double sum = 0.0;
  each_element(local % job.blocks, size, [&](long long i) { sum = fma(double(matrix[i]), double(matrix[i]), sum); });
  sum = block_sum(sum, shared.partial);
  if (threadIdx.x == 0) job.parts[local] = sum;
}

__global__ void __launch_bounds__(SUM_THREADS) square_sums_kernel(Table<Job> table) {
  KFAC_SHARED(SumShared, shared);
  long long matrix;
  const Job job = table.find(blockIdx.x, matrix);
  double sum = 0.0;
  for (long long i = threadIdx.x; i < job.blocks; i += SUM_THREADS) sum += job.parts[matrix * job.blocks + i];
  sum = block_sum(sum, shared.partial);
  if (threadIdx.x == 0) job.request.norms[matrix] = sum;
}

}  // namespace

void squared_norms(const kfac_squared_norms_request* requests, int count, Plan& plan) {
  static_assert(ELEMENT_THREADS == SUM_THREADS, "the sum over a block has room for its warps");
  Batch<Job> parts, sums;
  for (int i = 0; i < count; ++i) {
    const kfac_squared_norms_request& q = requests[i];
    const long long blocks = element_blocks((long long)q.n * q.n), all = blocks * q.count;
    const Job job{q, plan.take<double>(all), blocks};
    parts.add(job, all);
    sums.add(job, q.count);
  }
  plan.launch(square_parts_kernel, parts, ELEMENT_THREADS, sizeof(SumShared));
  plan.launch(square_sums_kernel, sums, SUM_THREADS, sizeof(SumShared));
}

}  // namespace kfac
