// A symmetric matrix between the caller's memory and a lower triangle, strip by strip; and the tile that updates it.
#pragma once
#include "tile.h"

namespace kfac::KFAC_ISA {

/// Writes rows [first, last) of scale * source + damping I, up to the diagonal, to A; false if an element is not
/// finite.
static bool load_damped(const float* source, int n, int first, int last, double scale, double damping, float* a,
                        ptrdiff_t lda) {
  vi largest = {};  // magnitudes as integers are in the same order, and quicker to compare
  float factor = (float)scale;
  for (int i = first; i < last; i++) {
    const float* from = source + (size_t)i * n;
    float* row = a + i * lda;
    auto put = [&](int j, vf x) {
      vi magnitude = (vi)x & 0x7fffffff;
      largest = magnitude > largest ? magnitude : largest;
      store(row + j, x);
    };
    int j = 0;
    for (; j + W <= i; j += W) put(j, load(from + j) * factor);
    bool inside = (size_t)i * n + j + W <= (size_t)n * n;  // what follows in memory is not used
    put(j, first_lanes(inside ? load(from + j) : load(from + j, i - j), i - j) * factor);
    row[i] = (float)(scale * from[i] + damping);  // in fp64, so that the sum is rounded once
    if (row[i] - row[i] != 0) return false;
  }
  bool finite = true;
  for (int l = 0; l < W; l++) finite &= largest[l] < 0x7f800000;
  return finite;
}

/// Makes rows [first, last), up to the diagonal, those of the identity.
static void pad_identity(int first, int last, float* a, ptrdiff_t lda) {
  for (int i = first; i < last; i++) {
    memset(a + i * lda, 0, sizeof(float) * i);
    a[i * lda + i] = 1;
  }
}

/// Whether the trace is finite, and with it a definite matrix: none of its elements is larger.
static bool finite_trace(const float* a, ptrdiff_t lda, int n) {
  float trace = 0;
  for (int i = 0; i < n; i++) trace += a[i * (lda + 1)];
  return trace - trace == 0;
}

/// Writes rows [first, last) of the symmetric matrix -A, of which the lower triangle is given; first is a multiple of
/// W.
static void write_rows(const float* a, ptrdiff_t lda, int n, int first, int last, float* out) {
  for (int i = first; i < last; i++) {
    float* row = out + (size_t)i * n;
    for (int j = 0; j < i / W * W; j += W) store(row + j, -load(a + i * lda + j));
  }
  for (int k = first; k < n; k += W) {
    for (int j = first; j < last && j <= k; j += W) {
      vf v[W], diagonal[W];
#pragma GCC unroll 16
      for (int i = 0; i < W; i++) {
        const float* from = a + (k + i) * lda + j;
        diagonal[i] = v[i] = -load(from);
        __builtin_prefetch(from + 2 * W * lda);
        __builtin_prefetch(out + (size_t)(j + i) * n + k + 2 * W, 1);
      }
      transpose(v);
#pragma GCC unroll 16
      for (int i = 0; i < W; i++) {
        if (k == j) v[i] = choose_lanes(diagonal[i], v[i], i + 1);
        if (i < last - j) store(out + (size_t)(j + i) * n + k, v[i], n - k);
      }
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
