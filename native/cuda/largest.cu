// The largest magnitude. Bit patterns of magnitudes are in the order of the numbers, infinity and NaN above all.
#include "elements.cuh"
#include "number.cuh"
#include "verbs.h"

namespace kfac {
namespace {

__global__ void zero_kernel(Table<kfac_largest_request> table) {
  if (threadIdx.x == 0) *table.jobs[blockIdx.x].largest = 0.0f;
}

template <class T>
__global__ void __launch_bounds__(ELEMENT_THREADS) largest_kernel(Table<kfac_largest_request> table) {
  long long local;
  const kfac_largest_request q = table.find(blockIdx.x, local);
  unsigned largest = 0;
  each_element(local, q.size, [&](long long i) {
    largest = max(largest, __float_as_uint(value(static_cast<const T*>(q.x)[i])) & 0x7fffffffu);
  });
  largest = __reduce_max_sync(~0u, largest);
  if (threadIdx.x % 32 == 0 && largest) atomicMax(reinterpret_cast<unsigned*>(q.largest), largest);
}

}  // namespace

void largest(const kfac_largest_request* requests, int count, Plan& plan) {
  launch_requests(zero_kernel, requests, count, 32, 0, plan, [](const auto&) { return 1LL; });
  void (*const kernels[])(Table<kfac_largest_request>) = {largest_kernel<float>, largest_kernel<Bfloat>,
                                                          largest_kernel<Half>};
  for (int dtype = 0; dtype < 3; ++dtype)
    launch_requests(kernels[dtype], requests, count, ELEMENT_THREADS, 0, plan,
                    [=](const auto& q) { return q.dtype == dtype ? element_blocks(q.size) : 0LL; });
}

}  // namespace kfac
