#include "elements.cuh"
#include "reduce.cuh"
#include "verbs.h"

namespace kfac {
namespace {

__global__ void __launch_bounds__(SUM_THREADS) traces_kernel(Table<kfac_traces_request> table) {
  KFAC_SHARED(SumShared, shared);
  long long matrix;
  const kfac_traces_request q = table.find(blockIdx.x, matrix);
  const float* m = q.matrix + matrix * q.n * q.n;
  double sum = 0.0;
  for (long long i = threadIdx.x; i < q.n; i += SUM_THREADS) sum += m[i * (q.n + 1LL)];
  sum = block_sum(sum, shared.partial);
  if (threadIdx.x == 0) q.traces[matrix] = sum;
}

}  // namespace

void traces(const kfac_traces_request* requests, int count, Plan& plan) {
  launch_requests(traces_kernel, requests, count, SUM_THREADS, sizeof(SumShared), plan,
                  [](const auto& q) { return (long long)q.count; });
}

}  // namespace kfac
