#include "elements.cuh"
#include "verbs.h"

namespace kfac {
namespace {

__global__ void __launch_bounds__(ELEMENT_THREADS) factored_damping_kernel(Table<kfac_factored_damping_request> table) {
  long long local;
  const kfac_factored_damping_request q = table.find(blockIdx.x, local);
  each_element(local, q.count, [&](long long i) {
    const double a = q.scale_a * q.trace_a[i] / q.n_a, g = q.scale_g * q.trace_g[i] / q.n_g;
    const double pi = a > 0.0 && g > 0.0 ? sqrt(a / g) : 1.0, root = sqrt(q.damping);
    q.damping_a[i] = float(pi * root);
    q.damping_g[i] = float(root / pi);
  });
}

}  // namespace

void factored_damping(const kfac_factored_damping_request* requests, int count, Plan& plan) {
  launch_requests(factored_damping_kernel, requests, count, ELEMENT_THREADS, 0, plan,
                  [](const auto& q) { return element_blocks(q.count); });
}

}  // namespace kfac
