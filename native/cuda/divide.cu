#include "elements.cuh"
#include "parts.cuh"
#include "verbs.h"

namespace kfac {
namespace {

struct Job {
  kfac_divide_request request;
  double* parts;  // one for each block
};

template <class T>
__global__ void __launch_bounds__(ELEMENT_THREADS) divide_kernel(Table<Job> table) {
  KFAC_SHARED(SumShared, shared);
  long long local;
  const Job job = table.find(blockIdx.x, local);
  const kfac_divide_request& q = job.request;
  double inner = 0.0;
  each_element(local, q.size, [&](long long i) {
    const double x = q.x[i], divided = x / (q.scale * static_cast<const T*>(q.moments)[i] + q.damping);
    inner += x * divided;
    q.x[i] = divided;
  });
  inner = block_sum(inner, shared.partial);
  if (threadIdx.x == 0) job.parts[local] = inner;
}

}  // namespace

void divide(const kfac_divide_request* requests, int count, Plan& plan) {
  static_assert(ELEMENT_THREADS == SUM_THREADS, "the sum over a block has room for its warps");
  Batch<Job> single, wide;
  Batch<PartsJob> inners;
  for (int i = 0; i < count; ++i) {
    const long long blocks = element_blocks(requests[i].size);
    double* parts = plan.take<double>(blocks);
    (requests[i].dtype == KFAC_F64 ? wide : single).add({requests[i], parts}, blocks);
    inners.add({parts, requests[i].inner, blocks}, 1);
  }
  plan.launch(divide_kernel<float>, single, ELEMENT_THREADS, sizeof(SumShared));
  plan.launch(divide_kernel<double>, wide, ELEMENT_THREADS, sizeof(SumShared));
  plan.launch(sum_parts_kernel, inners, SUM_THREADS, sizeof(SumShared));
}

}  // namespace kfac
