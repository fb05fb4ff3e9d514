#include "parts.cuh"
#include "verbs.h"

namespace kfac {
namespace {

constexpr long long CHUNK = 64 * SUM_THREADS;  // elements of a block

struct Job {
  const float* x;
  double* parts;  // one for each chunk
  long long size;
};

__global__ void __launch_bounds__(SUM_THREADS) chunk_kernel(Table<Job> table) {
  KFAC_SHARED(SumShared, shared);
  long long chunk;
  const Job job = table.find(blockIdx.x, chunk);
  const long long end = min(job.size, (chunk + 1) * CHUNK);
  double sum = 0.0;
  for (long long i = chunk * CHUNK + threadIdx.x; i < end; i += SUM_THREADS) {
    const double x = job.x[i];
    sum = fma(x, x, sum);
  }
  sum = block_sum(sum, shared.partial);
  if (threadIdx.x == 0) job.parts[chunk] = sum;
}

}  // namespace

void sum_squares(const kfac_sum_squares_request* requests, int count, Plan& plan) {
  Batch<Job> chunks;
  Batch<PartsJob> sums;
  for (int i = 0; i < count; ++i) {
    const kfac_sum_squares_request& q = requests[i];
    const long long blocks = (q.size + CHUNK - 1) / CHUNK;
    double* parts = plan.take<double>(blocks);
    chunks.add({q.x, parts, q.size}, blocks);
    sums.add({parts, q.sum, blocks}, 1);
  }
  plan.launch(chunk_kernel, chunks, SUM_THREADS, sizeof(SumShared));
  plan.launch(sum_parts_kernel, sums, SUM_THREADS, sizeof(SumShared));
}

}  // namespace kfac
