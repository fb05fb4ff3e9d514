// Position of the first element that is not finite.
#include "elements.cuh"
#include "number.cuh"
#include "verbs.h"

namespace kfac {
namespace {

__global__ void none_kernel(Table<kfac_first_non_finite_request> table) {
  if (threadIdx.x == 0) *table.jobs[blockIdx.x].first = -1;
}

// -1 is the largest unsigned number, so that the minimum does not depend on the order of the blocks.
template <class T>
__global__ void __launch_bounds__(ELEMENT_THREADS) first_non_finite_kernel(Table<kfac_first_non_finite_request> table) {
  long long local;
  const kfac_first_non_finite_request q = table.find(blockIdx.x, local);
  each_element(local, q.size, [&](long long i) {
    if (!finite(value(static_cast<const T*>(q.x)[i])))
      atomicMin(reinterpret_cast<unsigned long long*>(q.first), (unsigned long long)i);
  });
}

}  // namespace

void first_non_finite(const kfac_first_non_finite_request* requests, int count, Plan& plan) {
  launch_requests(none_kernel, requests, count, 32, 0, plan, [](const auto&) { return 1LL; });
  void (*const kernels[])(Table<kfac_first_non_finite_request>) = {
      first_non_finite_kernel<float>, first_non_finite_kernel<Bfloat>, first_non_finite_kernel<Half>};
  for (int dtype = 0; dtype < 3; ++dtype)
    launch_requests(kernels[dtype], requests, count, ELEMENT_THREADS, 0, plan,
                    [=](const auto& q) { return q.dtype == dtype ? element_blocks(q.size) : 0LL; });
}

}  // namespace kfac
