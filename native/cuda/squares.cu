#include "elements.cuh"
#include "verbs.h"

namespace kfac {
namespace {

__global__ void __launch_bounds__(ELEMENT_THREADS) squares_kernel(Table<kfac_squares_request> table) {
  long long local;
  const kfac_squares_request q = table.find(blockIdx.x, local);
  each_element(local, q.size, [&](long long i) {
    double sum = 0.0;
    for (long long k = 0; k < q.terms; ++k) {
      const double x = q.x[k * q.size + i];
      sum = fma(x, x, sum);
    }
    q.y[i] = float(double(q.weight) * sum + (q.decay == 0.0f ? 0.0 : double(q.decay) * q.y[i]));
  });
}

}  // namespace

void squares(const kfac_squares_request* requests, int count, Plan& plan) {
  launch_requests(squares_kernel, requests, count, ELEMENT_THREADS, 0, plan,
                  [](const auto& q) { return element_blocks(q.size); });
}

}  // namespace kfac
