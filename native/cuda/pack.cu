// Symmetric matrices to and from their packed lower triangles.
#include "elements.cuh"
#include "mirror.cuh"
#include "verbs.h"

namespace kfac {
namespace {

__global__ void pack_kernel(Table<kfac_pack_request> table) {
  long long local;
  const kfac_pack_request q = table.find(blockIdx.x, local);
  const long long matrix = local / q.n, r = local % q.n;  // one row a block
  const float* row = q.full + (matrix * q.n + r) * q.n;
  float* packed = q.packed + matrix * triangle(q.n) + triangle(r);
  for (int c = threadIdx.x; c <= r; c += blockDim.x) packed[c] = row[c];
}

__global__ void unpack_kernel(Table<kfac_pack_request> table) {
  KFAC_SHARED(MirrorShared, shared);
  long long local;
  const kfac_pack_request q = table.find(blockIdx.x, local);
  const long long blocks = mirror_blocks(q.n), matrix = local / blocks;
  const float* packed = q.packed + matrix * triangle(q.n);
  float* full = q.full + matrix * q.n * q.n;
  mirror(
      shared, local % blocks, q.n, [&](int i, int j) { return packed[triangle(i, j)]; },
      [&](int i, int j, float v) { full[(long long)i * q.n + j] = v; });
}

}  // namespace

void pack(const kfac_pack_request* requests, int count, Plan& plan) {
  launch_requests(pack_kernel, requests, count, 128, 0, plan, [](const auto& q) { return (long long)q.n * q.count; });
}

void unpack(const kfac_pack_request* requests, int count, Plan& plan) {
  launch_requests(unpack_kernel, requests, count, dim3(MIRROR, MIRROR_LINES), sizeof(MirrorShared), plan,
                  [](const auto& q) { return mirror_blocks(q.n) * q.count; });
}

}  // namespace kfac
