// Products of matrices, some of them triangular, from packed panels.
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
  bool add;         // to C, rather than overwrite it
  bool lower;       // only what lies on or below the diagonal of C
  Trim trim;
  float* c;
  ptrdiff_t ldc;
};

constexpr int DEPTH = 4096 / P;  // of a packed panel: two of them fit into the first-level cache

/// Floats that `multiply` packs into.
static inline size_t pack_floats(int n) { return (size_t)DEPTH * (round_up(n, P) + P); }

/// Packs rows [first, first + count) of A for k in [k0, k1): out[(k - k0) * P + row], zero beyond `count`.
static void pack(View v, int first, int count, int k0, int k1, float* out) {
  const float* from = v.data + first * v.row + k0 * v.col;
  if (v.row == 1) {
    for (int k = k0; k < k1; k++, from += v.col, out += P) {
      if (count == P) {
        store(out, load(from));
        store(out + W, load(from + W));
      } else {
        memset(out, 0, sizeof(float) * P);
        memcpy(out, from, sizeof(float) * count);
      }
    }
    return;
  }
  for (int half = 0; half < P; half += W) {
    int rows = most(0, least(W, count - half));
    for (int k = k0; k < k1; k += W) {
      transpose_to(from + half * v.row + (k - k0), v.row, rows, least(W, k1 - k), out + (k - k0) * P + half, P);
    }
  }
}

/// The terms of a tile that do not vanish.
static inline void trim(const Product& p, int i, int j, int& from, int& to) {
  if (p.trim == Trim::b_upper) to = least(to, j + P);
  if (p.trim == Trim::b_lower) from = most(from, j);
  if (p.trim == Trim::a_lower) to = least(to, i + M);
}

/// Up to this size matrices are read where they lie: they fit into the caches.
constexpr int IN_PLACE = 256;

static inline bool in_place(const Product& p) {
  bool overwrites_a = p.c == p.a.data && p.n > P;  // columns of C would be written before A is read for the next ones
  return !overwrites_a && p.n <= IN_PLACE && p.k <= IN_PLACE && (p.b.col == 1 || p.k <= DEPTH);
}

/// A product whose A, and B too if its rows are contiguous, is not packed.
static void multiply_in_place(const Product& p, float* memory) {
  for (int j = 0; j < p.n; j += P) {
    const float* b = p.b.data + j;
    ptrdiff_t step = p.b.row;
    if (p.b.col != 1) {
      pack({p.b.data, p.b.col, p.b.row}, j, least(P, p.n - j), 0, p.k, memory);
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

/// Runs a product with memory of `pack_floats(p.n)`.
static void multiply(const Product& p, float* memory) {
  if (in_place(p)) return multiply_in_place(p, memory);
  float* panel = memory;
  float* columns = memory + DEPTH * P;
  Strides packed = {P, 0};
  View b = {p.b.data, p.b.col, p.b.row};
  for (int k0 = 0; k0 < p.k; k0 += DEPTH) {
    int k1 = least(p.k, k0 + DEPTH), depth = k1 - k0;
    bool add_to_c = p.add || k0 > 0;
    for (int j = 0; j < p.n; j += P) {
      if (p.trim == Trim::b_upper && j + P <= k0) continue;
      if (p.trim == Trim::b_lower && j >= k1) continue;
      pack(b, j, least(P, p.n - j), k0, k1, columns + (size_t)j * depth);
    }
    for (int i0 = 0; i0 < p.m; i0 += P) {
      int rows = least(P, p.m - i0);
      bool vanishes = p.trim == Trim::a_lower && i0 + P <= k0;
      if (vanishes && add_to_c) continue;
      if (!vanishes) pack(p.a, i0, rows, k0, k1, panel);
      for (int j = 0; j < p.n; j += P) {
        for (int i = i0; i < i0 + rows; i += M) {
          if (p.lower && j >= i + M) continue;
          int from = k0, to = k1;
          trim(p, i, j, from, to);
          float* c = p.c + i * p.ldc + j;
          if (!add_to_c) {
            for (int r = 0; r < M; r++) memset(c + r * p.ldc, 0, sizeof(float) * P);
          }
          if (from >= to) continue;
          const float* x = panel + (from - k0) * P + (i - i0);
          const float* y = columns + (size_t)j * depth + (from - k0) * P;
          add_tile(p.sign, 1, to - from, x, packed, y, packed, c, p.ldc);
        }
      }
    }
  }
}

}  // namespace kfac::KFAC_ISA
