// Lower triangles and their mirror images, where the matrices are good.
#include "mirror.cuh"
#include "elements.cuh"
#include "verbs.h"

namespace kfac {
namespace {

template <class T>
__global__ void mirror_kernel(Table<kfac_mirror_request> table) {
  KFAC_SHARED(MirrorShared, shared);
  long long local;
  const kfac_mirror_request q = table.find(blockIdx.x, local);
  const long long blocks = mirror_blocks(q.n), matrix = local / blocks;
  const int pivot = q.pivots[matrix];
  if (q.status[matrix] || pivot) return;
  const T* lower = static_cast<const T*>(q.lower) + matrix * q.n * q.n;
  float* inverse = q.inverse + matrix * q.n * q.n;
  mirror(
      shared, local % blocks, q.n, [&](int i, int j) { return float(lower[(long long)i * q.n + j]); },
      [&](int i, int j, float v) { inverse[(long long)i * q.n + j] = v; });
}

__global__ void __launch_bounds__(ELEMENT_THREADS) status_kernel(Table<kfac_mirror_request> table) {
  long long local;
  const kfac_mirror_request q = table.find(blockIdx.x, local);
  each_element(local, q.count, [&](long long m) {
    if (!q.status[m]) q.status[m] = q.pivots[m];
  });
}

}  // namespace

void mirror(const kfac_mirror_request* requests, int count, Plan& plan) {
  void (*const kernels[])(Table<kfac_mirror_request>) = {mirror_kernel<float>, mirror_kernel<double>};
  for (int wide = 0; wide < 2; ++wide)
    launch_requests(kernels[wide], requests, count, dim3(MIRROR, MIRROR_LINES), sizeof(MirrorShared), plan,
                    [=](const auto& q) { return (q.dtype == KFAC_F64) == wide ? mirror_blocks(q.n) * q.count : 0LL; });
  launch_requests(status_kernel, requests, count, ELEMENT_THREADS, 0, plan,
                  [](const auto& q) { return element_blocks(q.count); });
}

}  // namespace kfac
