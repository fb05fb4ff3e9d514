// Inverses of matrices up to 8 x 8 in fp64, each in the registers of one thread. In fp32 the error of so small an
// inverse is a matter of luck: a few roundings that may or may not cancel.
#pragma once
#include "plan.h"
#include "sweep.cuh"

namespace kfac {

constexpr int TINY = 8, TINY_THREADS = 64;

__global__ void __launch_bounds__(TINY_THREADS) invert_tiny_kernel(Table<kfac_invert_request> table) {
  long long local;
  const kfac_invert_request job = table.find(blockIdx.x, local);
  const int n = job.n;
  const long long matrix = local * TINY_THREADS + threadIdx.x;
  if (matrix >= job.count) return;
  const float* source = job.matrix + matrix * n * n;
  const double damping = job.dampings ? job.dampings[matrix] : job.damping;

  // The lower triangle, beyond n that of the unit matrix; then L, L^-1 and L^-T L^-1 in its place.
  double a[TINY][TINY];
  bool all_finite = true;
#pragma unroll
  for (int i = 0; i < TINY; ++i)
#pragma unroll
    for (int j = 0; j <= i; ++j) {
      a[i][j] = i == j ? 1.0 : 0.0;
      if (i < n) {
        a[i][j] = (double)job.scale * source[i * n + j] + (i == j ? damping : 0.0);
        all_finite &= finite((float)a[i][j]);
      }
    }

  int failed = 0;
#pragma unroll
  for (int j = 0; j < TINY; ++j) {
    double pivot = a[j][j];
#pragma unroll
    for (int k = 0; k < j; ++k) pivot -= a[j][k] * a[j][k];
    if (!(pivot >= SMALLEST_PIVOT) && !failed) failed = j + 1;
    const double reciprocal = reciprocal_root(pivot);
#pragma unroll
    for (int i = j + 1; i < TINY; ++i) {
#pragma unroll
      for (int k = 0; k < j; ++k) a[i][j] -= a[i][k] * a[j][k];
      a[i][j] *= reciprocal;
    }
    a[j][j] = reciprocal;  // the diagonal of L^-1
  }
  const int status = all_finite ? failed : KFAC_MATRIX_NOT_FINITE;
  job.status[matrix] = status;
  if (status) return;

#pragma unroll
  for (int j = 0; j < TINY; ++j)
#pragma unroll
    for (int i = j + 1; i < TINY; ++i) {
      double sum = 0.0;
#pragma unroll
      for (int k = j; k < i; ++k) sum += a[i][k] * a[k][j];
      a[i][j] = -sum * a[i][i];
    }

  float* inverse = job.inverse + matrix * n * n;
#pragma unroll
  for (int i = 0; i < TINY; ++i)
#pragma unroll
    for (int j = 0; j <= i; ++j) {
      double sum = 0.0;
#pragma unroll
      for (int k = i; k < TINY; ++k) sum += a[k][i] * a[k][j];
      if (i < n) inverse[i * n + j] = inverse[j * n + i] = (float)sum;
    }
}

}  // namespace kfac
