// Inverses of matrices up to 32 x 32 in fp64, many in one launch, each in the registers of a warp: the error of so
// small an inverse in fp32 is a matter of luck.
#pragma once
#include "plan.h"
#include "sweep.cuh"

namespace kfac {

constexpr int SMALL = 32, SMALL_WARPS = 4;

struct SmallShared {
  Four<double> pivot[4];         // columns of the pivot block
  Four<double> rows[2 * SMALL];  // z of each row, twice: the elements of a column are kept rotated
};

// A lane holds a column.
__global__ void __launch_bounds__(32 * SMALL_WARPS, 4) invert_small_kernel(Table<kfac_invert_request> table) {
  using AllShared = SmallShared[SMALL_WARPS];
  KFAC_SHARED(AllShared, all);
  long long local;
  const kfac_invert_request job = table.find(blockIdx.x, local);
  const int warp = threadIdx.x / 32, j = threadIdx.x % 32, n = job.n;
  const long long matrix = local * SMALL_WARPS + warp;
  if (matrix >= job.count) return;
  SmallShared& shared = all[warp];
  const float* source = job.matrix + matrix * n * n;
  const float damping = job.dampings ? job.dampings[matrix] : job.damping;

  double a[1][SMALL], diagonal = 1.0;  // see minus_square
  bool all_finite = true;
#pragma unroll
  for (int i = 0; i < SMALL; ++i) {
    double v = i == j;
    if (i < n && j < n) {
      v = fma(double(job.scale), double(source[j]), i == j ? double(damping) : 0.0);
      all_finite &= finite(float(v));
    }
    if (i == j) diagonal = v;
    a[0][i] = v;
    source += n;
  }
  all_finite = __all_sync(~0u, all_finite);

  int failed = 0;
  for (int k = 0; k < SMALL; k += 4) {
    const bool mine = j / 4 * 4 == k;
    if (mine) put_pivot(shared.pivot, j % 4, {a[0][0], a[0][1], a[0][2], a[0][3]}, diagonal);
    __syncwarp();
    Lower4<double> l;
    const int bad = factor4(shared.pivot, l);
    if (bad && !failed) failed = k + bad;
    Four<double> z;
    if (mine) {
      z = negative(solve4(l, unit4<double>(j % 4)));
      diagonal = 0.0;
#pragma unroll
      for (int i = 4; i < SMALL; ++i) a[0][i] = 0.0;
    } else {
      z = solve4(l, Four<double>{a[0][0], a[0][1], a[0][2], a[0][3]});
    }
    diagonal = minus_square(diagonal, z);
    shared.rows[j] = z;
    shared.rows[j + SMALL] = z;
    __syncwarp();
    update_and_shift(a, shared.rows, k, {z});
#pragma unroll
    for (int i = 0; i < 4; ++i) a[0][SMALL - 4 + i] = minus_dot(0.0, shared.rows[k + i], z);
  }

  const int status = all_finite ? failed : KFAC_MATRIX_NOT_FINITE;
  if (j == 0) job.status[matrix] = status;
  if (status) return;
  const int pitch = opaque(n);
  float* inverse = job.inverse + matrix * n * n;
#pragma unroll
  for (int i = 0; i < SMALL; ++i) {
    if (i < n && j < n) inverse[j] = -float(i == j ? diagonal : a[0][i]);
    inverse += pitch;
  }
}

}  // namespace kfac
