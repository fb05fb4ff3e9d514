// The inverse of a small Cholesky factor, directly from the matrix.
#pragma once
#include "vector.h"

namespace kfac::KFAC_ISA {

constexpr int LEAF = 64;

/// Four pivots of an elimination.
struct Pivots {
  float u[4][4];         // the rows of the pivots, in their own columns; upper triangular
  float reciprocal[4];   // of the diagonal
  float below[4][4];     // multipliers among the four; unit lower triangular
  float inverse[4][4];   // of `below`

  /// From the block at `a`. Returns 0, the 1-based pivot that is not positive, or -1 on overflow.
  int eliminate(const float* a, ptrdiff_t lda) {
    for (int i = 0; i < 4; i++) memcpy(u[i], a + i * lda, sizeof u[i]);
    memset(below, 0, sizeof below);
    memset(inverse, 0, sizeof inverse);
    for (int q = 0; q < 4; q++) {
      if (!(u[q][q] > 0)) return q + 1;
      reciprocal[q] = 1 / u[q][q];
      if (reciprocal[q] - reciprocal[q] != 0) return -1;
      for (int p = q + 1; p < 4; p++) {
        below[p][q] = u[p][q] * reciprocal[q];
        for (int r = q + 1; r < 4; r++) u[p][r] -= below[p][q] * u[q][r];
      }
    }
    for (int p = 0; p < 4; p++) {
      inverse[p][p] = 1;
      for (int q = 0; q < p; q++) {
        for (int r = q; r < p; r++) inverse[p][q] -= below[p][r] * inverse[r][q];
      }
    }
    return 0;
  }

  /// The multipliers of a row whose elements in the columns of the pivots are x.
  void multipliers(const float* x, float (&f)[4]) const {
    f[0] = x[0] * reciprocal[0];
    f[1] = (x[1] - f[0] * u[0][1]) * reciprocal[1];
    f[2] = (x[2] - f[0] * u[0][2] - f[1] * u[1][2]) * reciprocal[2];
    f[3] = (x[3] - f[0] * u[0][3] - f[1] * u[1][3] - f[2] * u[2][3]) * reciprocal[3];
  }
};

/// A square of LEAF x LEAF with room for rows that fill the last group of four.
struct Leaf {
  alignas(64) float t[LEAF][LEAF];
  alignas(64) float rows[4][LEAF];  // of the current pivots
  float diagonal[LEAF];
  int vectors;

  /// From the lower triangle of A, padded with the identity to a multiple of four.
  void load_symmetric(const float* a, ptrdiff_t lda, int n) {
    vectors = (n + W - 1) / W;
    for (int i = 0; i < n; i += W) {
      for (int j = 0; j <= i; j += W) {
        vf block[W], mirrored[W];
        for (int r = 0; r < W; r++) block[r] = i + r < n ? load(a + (i + r) * lda + j) : vf{};
        if (i == j) {
          for (int r = 0; r < W; r++) block[r] = first_lanes(block[r], r + 1);
        }
        memcpy(mirrored, block, sizeof block);
        transpose(mirrored);
        for (int r = 0; r < W; r++) {
          if (i == j) {
            vf upper = mirrored[r];
            upper[r] = 0;
            store(t[i + r] + j, block[r] + upper);
          } else {
            store(t[i + r] + j, block[r]);
            store(t[j + r] + i, mirrored[r]);
          }
        }
      }
    }
    for (int i = n; i < round_up(n, 4); i++) t[i][i] = 1;
  }

  /// Subtracts the pivots' rows from the R rows from i on.
  template <int R>
  void subtract(const Pivots& pivots, int k, int i) {
    float f[R][4];
    for (int r = 0; r < R; r++) pivots.multipliers(t[i + r] + k, f[r]);
    int own = k / W;  // the vector with the columns of the pivots, which become multiples of those of the identity
    vi lane;
    for (int l = 0; l < W; l++) lane[l] = own * W + l;
    vi others = (lane < k) | (lane >= k + 4);
    for (int v = 0; v < vectors; v++) {
      vf x[R];
      for (int r = 0; r < R; r++) {
        x[r] = load(t[i + r] + v * W);
        if (v == own) x[r] = others ? x[r] : vf{};
      }
#pragma GCC unroll 4
      for (int q = 0; q < 4; q++) {
        vf row = load(rows[q] + v * W);
        for (int r = 0; r < R; r++) x[r] -= f[r][q] * row;
      }
      for (int r = 0; r < R; r++) store(t[i + r] + v * W, x[r]);
    }
  }

  int eliminate(int n) {
    for (int k = 0; k < n; k += 4) {
      Pivots pivots;
      int failure = pivots.eliminate(t[k] + k, LEAF);
      if (failure) return failure > 0 ? k + failure : failure;
      for (int v = 0; v < vectors * W; v += W) {
        for (int q = 0; q < 4; q++) {
          vf row = load(t[k + q] + v);
          for (int p = 0; p < q; p++) row -= pivots.below[q][p] * load(rows[p] + v);
          store(rows[q] + v, row);
        }
      }
      for (int q = 0; q < 4; q++) {
        diagonal[k + q] = pivots.u[q][q];
        memcpy(rows[q] + k, pivots.inverse[q], sizeof pivots.inverse[q]);
        memcpy(t[k + q], rows[q], sizeof(float) * vectors * W);
      }
      int i = k + 4, end = round_up(n, 4);
      for (; i < end; i += 4) subtract<4>(pivots, k, i);
    }
    return 0;
  }

  /// Writes D^-1/2 times what the elimination left, zero above the diagonal.
  void write(float* a, ptrdiff_t lda, int n) const {
    for (int i = 0; i < n; i++) {
      float root = 1 / __builtin_sqrtf(diagonal[i]);
      for (int j = 0; j < n; j += W) store(a + i * lda + j, first_lanes(load(t[i] + j) * root, i + 1 - j), n - j);
    }
  }
};

/// Replaces the lower triangle of the symmetric n x n matrix A, n <= LEAF, by L^-1, where A = L L', and zeroes what lies
/// above it. Returns 0, the 1-based pivot that is not positive, or -1 on overflow. Rows of A may be read and written to
/// the next multiple of W.
///
/// Gaussian elimination of four pivots at a time, applied to A and, in the columns it has cleared, to the identity.
static int invert_leaf(float* a, ptrdiff_t lda, int n) {
  Leaf leaf;
  leaf.load_symmetric(a, lda, n);
  int failure = leaf.eliminate(n);
  if (!failure) leaf.write(a, lda, n);
  return failure;
}

}  // namespace kfac::KFAC_ISA
