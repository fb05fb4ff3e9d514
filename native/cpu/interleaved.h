// Inverses of many small matrices side by side: one matrix in each lane of the vectors.
#pragma once
#include "verbs.h"
#include "vector.h"

namespace kfac::KFAC_ISA {

constexpr int B = 4;  // side of the blocks that registers hold

/// W matrices of n x n, n a multiple of B, lower triangle.
struct Interleaved {
  float* data;
  int n;

  float* at(int i, int j) const { return data + ((size_t)i * n + j) * W; }
  vf get(int i, int j) const { return *(const vf*)at(i, j); }
  void set(int i, int j, vf v) const { *(vf*)at(i, j) = v; }

  /// sums[r][c] += sum over k in [from, to) of X(i + r, k) Y(j + c, k), or Y(k, j + c), or X(k, i + r) Y(k, j + c).
  template <bool x_by_column, bool y_by_column>
  void multiply(vf (&sums)[B][B], int i, int j, int from, int to) const {
    for (int k = from; k < to; k++) {
      vf y[B];
#pragma GCC unroll 4
      for (int c = 0; c < B; c++) y[c] = y_by_column ? get(k, j + c) : get(j + c, k);
#pragma GCC unroll 4
      for (int r = 0; r < B; r++) {
        vf x = x_by_column ? get(k, i + r) : get(i + r, k);
#pragma GCC unroll 4
        for (int c = 0; c < B; c++) sums[r][c] += x * y[c];
      }
    }
  }

  /// L in place of the lower triangle, with the reciprocals of its diagonal in place of the diagonal. Above the
  /// diagonal, blocks on it become zero. `status` of a lane that is 0 becomes its first pivot that is not positive.
  void factorise(vi& status) const {
    for (int j = 0; j < n; j += B) {
      for (int i = j; i < n; i += B) {
        vf sums[B][B] = {};
        multiply<false, false>(sums, i, j, 0, j);
#pragma GCC unroll 4
        for (int r = 0; r < B; r++) {
#pragma GCC unroll 4
          for (int c = 0; c < B; c++) sums[r][c] = get(i + r, j + c) - sums[r][c];
        }
        if (i == j) {
          factorise_block(sums, j, status);
        } else {
#pragma GCC unroll 4
          for (int c = 0; c < B; c++) {
#pragma GCC unroll 4
            for (int r = 0; r < B; r++) {
#pragma GCC unroll 4
              for (int k = 0; k < c; k++) sums[r][c] -= sums[r][k] * get(j + c, j + k);
              sums[r][c] *= get(j + c, j + c);
            }
          }
        }
#pragma GCC unroll 4
        for (int r = 0; r < B; r++) {
#pragma GCC unroll 4
          for (int c = 0; c < B; c++) set(i + r, j + c, sums[r][c]);
        }
      }
    }
  }

  static void factorise_block(vf (&a)[B][B], int first, vi& status) {
#pragma GCC unroll 4
    for (int c = 0; c < B; c++) {
#pragma GCC unroll 4
      for (int k = 0; k < c; k++) a[c][c] -= a[c][k] * a[c][k];
      vi pivot = (a[c][c] > 0) ? vi{} : vi{} + (first + c + 1);
      status = (status == 0) ? pivot : status;
      vf root = {};
      for (int l = 0; l < W; l++) root[l] = __builtin_sqrtf(a[c][c][l]);
      a[c][c] = 1 / root;
#pragma GCC unroll 4
      for (int r = c + 1; r < B; r++) {
#pragma GCC unroll 4
        for (int k = 0; k < c; k++) a[r][c] -= a[r][k] * a[c][k];
        a[r][c] *= a[c][c];
        a[c][r] = vf{};
      }
    }
  }

  /// L^-1 in place of what `factorise` left.
  void invert_factor() const {
    for (int j = 0; j < n; j += B) {
      for (int i = j; i < n; i += B) {
        vf sums[B][B] = {};
        if (i == j) {
#pragma GCC unroll 4
          for (int c = 0; c < B; c++) sums[c][c] = vf{} - 1;
        } else {
          multiply<false, true>(sums, i, j, j, i);
        }
#pragma GCC unroll 4
        for (int r = 0; r < B; r++) {  // X_ij = -L_ii^-1 (sum over k of L_ik X_kj)
#pragma GCC unroll 4
          for (int c = 0; c < B; c++) {
            vf x = sums[r][c];
#pragma GCC unroll 4
            for (int k = 0; k < r; k++) x += get(i + r, i + k) * sums[k][c];
            sums[r][c] = -x * get(i + r, i + r);
          }
        }
#pragma GCC unroll 4
        for (int r = 0; r < B; r++) {
#pragma GCC unroll 4
          for (int c = 0; c < B; c++) set(i + r, j + c, sums[r][c]);
        }
      }
    }
  }

  /// X'X in place of a lower triangular X.
  void square() const {
    for (int i = 0; i < n; i += B) {
      for (int j = 0; j <= i; j += B) {
        vf sums[B][B] = {};
        multiply<true, true>(sums, i, j, i, n);
#pragma GCC unroll 4
        for (int r = 0; r < B; r++) {
#pragma GCC unroll 4
          for (int c = 0; c < B; c++) set(i + r, j + c, sums[r][c]);
        }
      }
    }
  }

  void invert(int32_t* status) const {
    vi pivots = {};
    factorise(pivots);
    invert_factor();
    square();
    for (int l = 0; l < W; l++) status[l] = pivots[l];
  }
};

}  // namespace kfac::KFAC_ISA
