#include "elements.cuh"
#include "verbs.h"

namespace kfac {
namespace {

__global__ void __launch_bounds__(ELEMENT_THREADS) ema_kernel(Table<kfac_ema_request> table) {
  long long local;
  const kfac_ema_request q = table.find(blockIdx.x, local);
  each_element(local, q.size, [&](long long i) {
    q.y[i] = q.beta == 0.0f ? q.alpha * q.x[i] : fmaf(q.beta, q.y[i], q.alpha * q.x[i]);
  });
}

}  // namespace

void ema(const kfac_ema_request* requests, int count, Plan& plan) {
  launch_requests(ema_kernel, requests, count, ELEMENT_THREADS, 0, plan,
                  [](const auto& q) { return element_blocks(q.size); });
}

}  // namespace kfac
