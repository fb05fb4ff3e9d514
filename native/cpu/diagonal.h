// A diagonal block of a sweep and the triangular products with it.
#pragma once
#include "cholesky.h"

namespace kfac::KFAC_ISA {

/// Memory for one diagonal block of n x n, n a multiple of P: its Cholesky factor L, whose own diagonal blocks of BLOCK
/// are inverted, and X = L^-1.
struct Diagonal {
  float* memory;
  int width;  // leading dimension, n at most
  int n;

  static size_t floats(int width) { return 2 * (size_t)width * width; }
  static size_t scratch_floats(int width) { return (size_t)width * width + pack_floats(width); }

  float* l() const { return memory; }
  float* x() const { return memory + (size_t)width * width; }

  /// From the lower triangle of a block of A; returns 0, the 1-based pivot that is not positive, or -1 on overflow.
  int factorise(const float* a, ptrdiff_t lda, float* scratch) const {
    for (int i = 0; i < n; i++) {
      memcpy(l() + i * width, a + i * lda, sizeof(float) * (i + 1));
      memset(l() + i * width + i + 1, 0, sizeof(float) * (width - i - 1));
    }
    float* pack = scratch + (size_t)width * width;
    int failure = Factor{l(), width, n, pack}.factorise();
    if (failure) return failure;
    memcpy(x(), l(), sizeof(float) * width * n);
    Factor{x(), width, n, pack}.invert(scratch);
    return 0;
  }

  /// A = -X'X, lower triangle.
  void square(float* a, ptrdiff_t lda) const {
    for (int i = 0; i < n; i += M) {
      for (int j = 0; j < i + M; j += P) {
        vf sums[M][2] = {};
        for (int k = i; k < n; k++) rank_one(sums, x() + k * width + i, 1, x() + k * width + j);
        for (int r = 0; r < M; r++) {
          store(a + (i + r) * lda + j, -sums[r][0]);
          store(a + (i + r) * lda + j + W, -sums[r][1]);
        }
      }
    }
  }

  static inline void rank_one(vf (&sums)[M][2], const float* column, ptrdiff_t step, const float* row) {
    vf left = load(row), right = load(row + W);
#pragma GCC unroll 8
    for (int r = 0; r < M; r++) {
      sums[r][0] += column[r * step] * left;
      sums[r][1] += column[r * step] * right;
    }
  }

  /// Z = L^-1 Z in place for n rows of P.
  void solve(float* z) const {
    for (int first = 0; first < n; first += BLOCK) {
      int last = least(n, first + BLOCK);
      for (int i = first; first > 0 && i < last; i += M) {
        vf sums[M][2] = {};
        for (int k = 0; k < first; k++) rank_one(sums, l() + i * width + k, width, z + k * P);
        for (int r = 0; r < M; r++) {
          store(z + (i + r) * P, load(z + (i + r) * P) - sums[r][0]);
          store(z + (i + r) * P + W, load(z + (i + r) * P + W) - sums[r][1]);
        }
      }
      for (int i = last - M; i >= first; i -= M) {  // upwards: a row needs only those above it
        vf sums[M][2] = {};
        for (int k = first; k < i + M; k++) rank_one(sums, l() + i * width + k, width, z + k * P);
        put(sums, z + i * P, P);
      }
    }
  }

  /// Q = X'Z, rows of P.
  void solve_transposed(const float* z, float* q, ptrdiff_t ldq) const {
    for (int i = 0; i < n; i += M) {
      vf sums[M][2] = {};
      for (int k = i; k < n; k++) rank_one(sums, x() + k * width + i, 1, z + k * P);
      put(sums, q + i * ldq, ldq);
    }
  }

  static void put(const vf (&sums)[M][2], float* to, ptrdiff_t step) {
    for (int r = 0; r < M; r++) {
      store(to + r * step, sums[r][0]);
      store(to + r * step + W, sums[r][1]);
    }
  }
};

}  // namespace kfac::KFAC_ISA
