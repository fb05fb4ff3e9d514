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
enum class Trim { none, b_upper, b_lower, a_lower, a_upper };

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

/// Runs a product with memory of `pack_floats(p.n)`.
static void multiply(const Product& p, float* memory) {
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
      bool vanishes = (p.trim == Trim::a_lower && i0 + P <= k0) || (p.trim == Trim::a_upper && i0 >= k1);
      if (vanishes && add_to_c) continue;
      if (!vanishes) pack(p.a, i0, rows, k0, k1, panel);
      for (int j = 0; j < p.n; j += P) {
        for (int i = i0; i < i0 + rows; i += M) {
          if (p.lower && j >= i + M) continue;
          int from = k0, to = k1;
          if (p.trim == Trim::b_upper) to = least(to, j + P);
          if (p.trim == Trim::b_lower) from = most(from, j);
          if (p.trim == Trim::a_lower) to = least(to, i + M);
          if (p.trim == Trim::a_upper) from = most(from, i);
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
