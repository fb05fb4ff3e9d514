// A diagonal block of a sweep and the triangular products with it.
#pragma once
#include "cholesky.h"

namespace kfac::KFAC_ISA {

/// A diagonal block of A of n x n, n a multiple of W, as its Cholesky factor L, whose own diagonal blocks of BLOCK are
/// inverted; and X = L^-1, with `width` >= n as its leading dimension.
struct Diagonal {
  float* l;
  ptrdiff_t lda;
  float* x;
  int width, n;

  static size_t floats(int width) { return (size_t)width * width; }
  static size_t scratch_floats(int width) { return (size_t)width * width + pack_floats(width); }

  /// From the lower triangle of A; returns 0, the 1-based pivot that is not positive, or -1 on overflow.
  int factorise(float* scratch) const {
    float* pack = scratch + (size_t)width * width;
    int failure = Factor{l, lda, n, pack, scratch}.factorise();
    if (failure) return failure;
    for (int i = 0; i < n; i++) {
      int own = least(n, round_up(i + 1, BLOCK));
      memcpy(x + i * width, l + i * lda, sizeof(float) * own);
      memset(x + i * width + own, 0, sizeof(float) * (width - own));
    }
    Factor{x, width, n, pack, scratch}.invert();
    return 0;
  }

  /// -X'X in place of A, lower triangle.
  void square() const {
    for (int i = 0; i < n; i += M) {
      for (int j = 0; j < i + M; j += P) {
        vf sums[M][2] = {};
        for (int k = i; k < n; k++) rank_one(sums, x + k * width + i, 1, x + k * width + j);
        for (int r = 0; r < M; r++) {
          store(l + (i + r) * lda + j, -sums[r][0]);
          store(l + (i + r) * lda + j + W, -sums[r][1]);
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
        for (int k = 0; k < first; k++) rank_one(sums, l + i * lda + k, lda, z + k * P);
        for (int r = 0; r < M; r++) {
          store(z + (i + r) * P, load(z + (i + r) * P) - sums[r][0]);
          store(z + (i + r) * P + W, load(z + (i + r) * P + W) - sums[r][1]);
        }
      }
      for (int i = last - M; i >= first; i -= M) {  // upwards: a row needs only those above it
        vf sums[M][2] = {};
        for (int k = first; k < i + M; k++) rank_one(sums, l + i * lda + k, lda, z + k * P);
        put(sums, z + i * P, P);
      }
    }
  }

  /// Q = X'Z, rows of P.
  void solve_transposed(const float* z, float* q, ptrdiff_t ldq) const {
    for (int i = 0; i < n; i += M) {
      vf sums[M][2] = {};
      for (int k = i; k < n; k++) rank_one(sums, x + k * width + i, 1, z + k * P);
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
