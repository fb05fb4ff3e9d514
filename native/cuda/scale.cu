#include "elements.cuh"
#include "verbs.h"

namespace kfac {
namespace {

__global__ void __launch_bounds__(ELEMENT_THREADS) scale_kernel(Table<kfac_scale_request> table) {
  long long local;
  const kfac_scale_request q = table.find(blockIdx.x, local);
  const float factor = *q.factor;
  each_element(local, q.size, [&](long long i) { q.x[i] *= factor; });
}

}  // namespace

void scale(const kfac_scale_request* requests, int count, Plan& plan) {
  launch_requests(scale_kernel, requests, count, ELEMENT_THREADS, 0, plan,
                  [](const auto& q) { return element_blocks(q.size); });
}

}  // namespace kfac
