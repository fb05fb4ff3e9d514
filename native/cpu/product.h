// Products of small matrices, some of them triangular, where they lie.
#pragma once
#include "tile.h"

namespace kfac::KFAC_ISA {

/// A matrix in memory or its transpose: element (i, k) at data[i * row + k * col]; one of the two strides is 1.
struct View {
  const float* data;
  ptrdiff_t row, col;
};

/// Which terms of a product vanish: A(i, k) or B(k, j) is triangular.
enum class Trim { none, b_upper, b_lower, a_lower };

/// C = or += sign A B. C is written in whole tiles: its rows reach to a multiple of M, its columns to one of P.
struct Product {
  int m, n, k;
  View a, b;
  float sign;
  bool add;    // to C, rather than overwrite it
  bool lower;  // only what lies on or below the diagonal of C
  Trim trim;
  float* c;
  ptrdiff_t ldc;
};

/// Floats that `multiply` packs into for products of up to n terms.
static inline size_t pack_floats(int n) { return (size_t)round_up(n, W) * P; }

/// Packs columns [first, first + P) of B, which is the transpose of a matrix in memory, as far as it has columns.
static void pack(const Product& p, int first, float* out) {
  for (int half = 0; half < P; half += W) {
    int count = most(0, least(W, p.n - first - half));
    for (int k = 0; k < p.k; k += W) {
      const float* from = p.b.data + (first + half) * p.b.col + k;
      transpose_to(from, p.b.col, count, least(W, p.k - k), out + k * P + half, P);
    }
  }
}

/// The terms of a tile that do not vanish.
static inline void trim(const Product& p, int i, int j, int& from, int& to) {
  if (p.trim == Trim::b_upper) to = least(to, j + P);
  if (p.trim == Trim::b_lower) from = most(from, j);
  if (p.trim == Trim::a_lower) to = least(to, i + M);
}

/// Runs a product with memory of `pack_floats(p.k)`. C may lie where A does if B is upper triangular: columns are
/// written from right to left, and none needs those on its right.
static void multiply(const Product& p, float* memory) {
  for (int j = (p.n - 1) / P * P; j >= 0; j -= P) {
    const float* b = p.b.data + j;
    ptrdiff_t step = p.b.row;
    if (p.b.col != 1) {
      pack(p, j, memory);
      b = memory;
      step = P;
    }
    for (int i = p.lower ? j / M * M : 0; i < p.m; i += M) {
      int from = 0, to = p.k;
      trim(p, i, j, from, to);
      vf sums[M][2] = {};
      const float *x = p.a.data + i * p.a.row + from * p.a.col, *y = b + from * step;
      for (int k = from; k < to; k++, x += p.a.col, y += step) {
        vf left = load(y), right = load(y + W);
#pragma GCC unroll 8
        for (int r = 0; r < M; r++) {
          sums[r][0] += x[r * p.a.row] * left;
          sums[r][1] += x[r * p.a.row] * right;
        }
      }
      float* c = p.c + i * p.ldc + j;
#pragma GCC unroll 8
      for (int r = 0; r < M; r++) {
        vf before[2] = {};
        if (p.add) {
          before[0] = load(c + r * p.ldc);
          before[1] = load(c + r * p.ldc + W);
        }
        store(c + r * p.ldc, before[0] + p.sign * sums[r][0]);
        store(c + r * p.ldc + W, before[1] + p.sign * sums[r][1]);
      }
    }
  }
}

}  // namespace kfac::KFAC_ISA
