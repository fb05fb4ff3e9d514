// scale A + damping I, and whether it is finite.
#include "elements.cuh"
#include "verbs.h"

namespace kfac {
namespace {

__global__ void __launch_bounds__(ELEMENT_THREADS) good_kernel(Table<kfac_damp_request> table) {
  long long local;
  const kfac_damp_request q = table.find(blockIdx.x, local);
  each_element(local, q.count, [&](long long m) { q.status[m] = KFAC_MATRIX_OK; });
}

template <class T>
__global__ void __launch_bounds__(ELEMENT_THREADS) damp_kernel(Table<kfac_damp_request> table) {
  long long local;
  const kfac_damp_request q = table.find(blockIdx.x, local);
  const long long elements = (long long)q.n * q.n;
  each_element(local, elements * q.count, [&](long long i) {
    const long long matrix = i / elements, place = i % elements;
    const double damping = q.dampings ? q.dampings[matrix] : q.damping;
    const T v = T(fma(q.scale, double(q.matrix[i]), place % (q.n + 1) == 0 ? damping : 0.0));
    static_cast<T*>(q.damped)[i] = v;
    if (!isfinite(v)) q.status[matrix] = KFAC_MATRIX_NOT_FINITE;
  });
}

}  // namespace

void damp(const kfac_damp_request* requests, int count, Plan& plan) {
  launch_requests(good_kernel, requests, count, ELEMENT_THREADS, 0, plan,
                  [](const auto& q) { return element_blocks(q.count); });
  void (*const kernels[])(Table<kfac_damp_request>) = {damp_kernel<float>, damp_kernel<double>};
  for (int wide = 0; wide < 2; ++wide)
    launch_requests(kernels[wide], requests, count, ELEMENT_THREADS, 0, plan, [=](const auto& q) {
      return (q.dtype == KFAC_F64) == wide ? element_blocks((long long)q.n * q.n * q.count) : 0LL;
    });
}

}  // namespace kfac
