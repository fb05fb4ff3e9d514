// A symmetric matrix between the caller's memory and a lower triangle, strip by strip; and the tile that updates it.
#pragma once
#include "tile.h"

namespace kfac::KFAC_ISA {

/// Writes rows [first, last) of scale * source + damping I, up to the diagonal, to A; false if an element is not finite.
static bool load_damped(const float* source, int n, int first, int last, double scale, double damping, float* a,
                        ptrdiff_t lda) {
  vf check = {};
  float factor = (float)scale;
  for (int i = first; i < last; i++) {
    const float* from = source + (size_t)i * n;
    float* row = a + i * lda;
    int j = 0;
    for (; j + W <= i; j += W) {
      vf x = load(from + j) * factor;
      check += x * 0;
      store(row + j, x);
    }
    vf x = load(from + j, i - j) * factor;
    check += x * 0;
    store(row + j, x);
    row[i] = (float)(scale * from[i] + damping);  // in fp64, so that the sum is rounded once
    check[0] += row[i] * 0;
  }
  return is_zero(check);
}

/// Whether the trace is finite, and with it a definite matrix: none of its elements is larger.
static bool finite_trace(const float* a, ptrdiff_t lda, int n) {
  float trace = 0;
  for (int i = 0; i < n; i++) trace += a[i * (lda + 1)];
  return trace - trace == 0;
}

/// Writes rows [first, last) of -A up to the diagonal, and their mirror images.
static void write_strip(const float* a, ptrdiff_t lda, int n, int first, int last, float* out) {
  for (int i = first; i < last; i += W) {
    int rows = least(W, last - i);
    for (int j = 0; j <= i; j += W) {
      vf block[W];
      for (int r = 0; r < W; r++) block[r] = r < rows ? -load(a + (i + r) * lda + j) : vf{};
      if (i > j) {
        for (int r = 0; r < rows; r++) store(out + (size_t)(i + r) * n + j, block[r]);
        transpose(block);
        for (int c = 0; c < W; c++) store(out + (size_t)(j + c) * n + i, block[c], rows);
        continue;
      }
      vf lower[W];
      memcpy(lower, block, sizeof block);
      transpose(block);
      for (int r = 0; r < rows; r++) store(out + (size_t)(i + r) * n + i, choose_lanes(lower[r], block[r], r + 1), rows);
    }
  }
}

/// c[i][j] -= sum over k of x[k P + i] y[k P + j] for i < M and j < V W.
template <int V>
static inline void subtract_tile(int depth, const float* x, const float* y, float* c, ptrdiff_t ldc) {
  for (int i = 0; i < M; i++) {
    __builtin_prefetch(c + i * ldc, 1);
    if (V == 2) __builtin_prefetch(c + i * ldc + V * W - 1, 1);
  }
  vf sums[M][V] = {};
  for (int k = 0; k < depth; k++, x += P, y += P) {
    vf row[V];
    for (int v = 0; v < V; v++) row[v] = load(y + v * W);
#pragma GCC unroll 8
    for (int i = 0; i < M; i++) {
#pragma GCC unroll 2
      for (int v = 0; v < V; v++) sums[i][v] += x[i] * row[v];
    }
  }
#pragma GCC unroll 8
  for (int i = 0; i < M; i++) {
#pragma GCC unroll 2
    for (int v = 0; v < V; v++) store(c + i * ldc + v * W, load(c + i * ldc + v * W) - sums[i][v]);
  }
}

}  // namespace kfac::KFAC_ISA
