// The inverse of a small Cholesky factor, directly from the matrix, in registers.
#pragma once
#include "vector.h"

namespace kfac::KFAC_ISA {

/// Eliminates below pivot k: row k leaves behind row k of D^1/2 L^-1 with a 1 in column k; rows[i][j], j > i, is
/// symmetric. The next pivot is known before its row, so that its reciprocal does not wait for vectors.
template <int k>
static inline void eliminate(vf (&rows)[W], float pivot, float* pivots) {
  alignas(64) float row[W];
  store(row, rows[k]);
  pivots[k] = pivot;
  float reciprocal = 1 / pivot, next = 0;
  if constexpr (k + 1 < W) next = rows[k + 1][k + 1] - row[k + 1] * (row[k + 1] * reciprocal);
  vi lane;
  for (int l = 0; l < W; l++) lane[l] = l;
  vi others = lane != k;
  vf unit = (vf)((vi)rows[k] & others), one = (vf)((vi)(vf{} + 1) & ~others);
  rows[k] = unit + one;
  vf scaled = rows[k] * reciprocal;
#pragma GCC unroll 16
  for (int i = 0; i < W; i++) {
    if (i > k) rows[i] = (vf)((vi)rows[i] & others) - row[i] * scaled;
  }
  if constexpr (k + 1 < W) eliminate<k + 1>(rows, next, pivots);
}

/// Replaces the lower triangle of the symmetric W x W matrix A by L^-1, where A = L L', and zeroes what lies above it.
/// Returns 0, the 1-based pivot that is not positive, or -1 on overflow. `rows` is what is written.
static int invert_leaf(float* a, ptrdiff_t lda, vf (&rows)[W]) {
  vf mirrored[W];
#pragma GCC unroll 16
  for (int i = 0; i < W; i++) mirrored[i] = rows[i] = first_lanes(load(a + i * lda), i + 1);
  transpose(mirrored);
#pragma GCC unroll 16
  for (int i = 0; i < W; i++) rows[i] = choose_lanes(rows[i], mirrored[i], i + 1);
  alignas(64) float pivots[W], roots[W];
  eliminate<0>(rows, rows[0][0], pivots);
  vf root = load(pivots);
  for (int i = 0; i < W; i++) {
    if (!(pivots[i] > 0)) return i + 1;
    float reciprocal = 1 / pivots[i];
    if (reciprocal - reciprocal != 0) return -1;
  }
  for (int l = 0; l < W; l++) root[l] = __builtin_sqrtf(root[l]);
  store(roots, 1 / root);
#pragma GCC unroll 16
  for (int i = 0; i < W; i++) {
    rows[i] = first_lanes(rows[i], i + 1) * roots[i];
    store(a + i * lda, rows[i]);
  }
  return 0;
}

/// sums[i] += sum over k of x[i][k] y[k], W x W each.
static inline void multiply_blocks(const float* x, ptrdiff_t xs, const float* y, ptrdiff_t ys, vf (&sums)[W]) {
  for (int k = 0; k < W; k++) {
    vf row = load(y + k * ys);
#pragma GCC unroll 16
    for (int i = 0; i < W; i++) sums[i] += x[i * xs + k] * row;
  }
}

/// The same as invert_leaf for P x P.
static int invert_pair(float* a, ptrdiff_t lda) {
  vf rows[W], sums[W] = {};
  alignas(64) float t[W * W];
  float *a21 = a + W * lda, *a22 = a21 + W;
  int failure = invert_leaf(a, lda, rows);
  if (failure) return failure;
  transpose(rows);
#pragma GCC unroll 16
  for (int i = 0; i < W; i++) store(t + i * W, rows[i]);
  multiply_blocks(a21, lda, t, W, sums);  // L21 = A21 X11'
#pragma GCC unroll 16
  for (int i = 0; i < W; i++) store(a21 + i * lda, sums[i]);
  transpose(sums);
#pragma GCC unroll 16
  for (int i = 0; i < W; i++) {
    store(t + i * W, sums[i]);
    sums[i] = vf{};
  }
  multiply_blocks(a21, lda, t, W, sums);  // L21 L21'
#pragma GCC unroll 16
  for (int i = 0; i < W; i++) store(a22 + i * lda, load(a22 + i * lda) - sums[i]);
  failure = invert_leaf(a22, lda, rows);
  if (failure) return failure > 0 ? W + failure : failure;
#pragma GCC unroll 16
  for (int i = 0; i < W; i++) sums[i] = vf{};
  multiply_blocks(a21, lda, a, lda, sums);  // L21 X11
#pragma GCC unroll 16
  for (int i = 0; i < W; i++) {
    store(t + i * W, sums[i]);
    store(a + i * lda + W, vf{});
    sums[i] = vf{};
  }
  multiply_blocks(a22, lda, t, W, sums);
#pragma GCC unroll 16
  for (int i = 0; i < W; i++) store(a21 + i * lda, -sums[i]);
  return 0;
}

}  // namespace kfac::KFAC_ISA
