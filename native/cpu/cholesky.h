// The damped inverse of one matrix: Cholesky factor L, L^-1, then L^-T L^-1; n^3 operations.
#pragma once
#include "leaf.h"
#include "product.h"
#include "verbs.h"

namespace kfac::KFAC_ISA {

/// The leading dimension of a work matrix of n columns: products write whole tiles.
static inline int padded(int n) { return round_up(n, P); }

static inline size_t work_matrix(int n) { return (size_t)padded(n) * round_up(n, M); }

/// Work floats of `invert_one`.
static inline size_t invert_one_floats(int n) { return 2 * work_matrix(n) + pack_floats(n); }

/// The largest diagonal block whose inverse stands for a triangular solve. Larger ones would be faster, but lose digits
/// where a leading block of the matrix is nearly singular.
constexpr int BLOCK = 32;

/// Where a matrix of n columns is split, a multiple of P.
static inline int half(int n) { return round_up(n / 2, BLOCK); }

/// Lower triangular factors in place, except that diagonal blocks are inverted. All products use `pack`.
struct Factor {
  float* a;
  ptrdiff_t lda;
  int n;
  float* pack;

  Factor leading() const { return {a, lda, half(n), pack}; }
  Factor trailing() const { return {a + half(n) * (lda + 1), lda, n - half(n), pack}; }
  View view() const { return {a, lda, 1}; }
  View transposed() const { return {a, 1, lda}; }
  float* below() const { return a + half(n) * lda; }

  /// From the symmetric matrix; returns 0, the 1-based pivot that is not positive, or -1 on overflow.
  int factorise() const {
    if (n <= BLOCK) return invert_leaf(a, lda, n);
    Factor first = leading(), second = trailing();
    int failure = first.factorise();
    if (failure) return failure;
    first.solve(below(), second.n);
    View l = {below(), lda, 1}, lt = {below(), 1, lda};
    multiply({second.n, second.n, first.n, l, lt, -1, true, true, Trim::none, second.a, lda}, pack);
    failure = second.factorise();
    return failure > 0 ? first.n + failure : failure;
  }

  /// B = B L^-T for B of m rows.
  void solve(float* b, int m) const {
    if (n <= BLOCK) {  // in place: rows of B are packed before they are overwritten
      multiply({m, n, n, {b, lda, 1}, transposed(), 1, false, false, Trim::b_upper, b, lda}, pack);
      return;
    }
    Factor first = leading();
    first.solve(b, m);
    View l21t = {below(), 1, lda};
    multiply({m, n - first.n, first.n, {b, lda, 1}, l21t, -1, true, false, Trim::none, b + first.n, lda}, pack);
    trailing().solve(b + first.n, m);
  }

  /// L^-1 in place of L, with work memory of one matrix of n columns.
  void invert(float* work) const {
    if (n <= BLOCK) return;
    Factor first = leading(), second = trailing();
    first.invert(work);
    second.invert(work);
    View l21 = {below(), lda, 1};
    multiply({second.n, first.n, first.n, l21, first.view(), 1, false, false, Trim::b_lower, work, first.n}, pack);
    View product = {work, first.n, 1};
    multiply({second.n, first.n, second.n, second.view(), product, -1, false, false, Trim::a_lower, below(), lda}, pack);
  }
};

/// Writes scale * source + damping I, its lower triangle, to A; false if an element is not finite.
static bool load_damped(const float* source, int n, double scale, double damping, float* a, int lda) {
  vf check = {};
  float factor = (float)scale;
  for (int i = 0; i < n; i++) {
    const float* from = source + (size_t)i * n;
    float* row = a + (size_t)i * lda;
    for (int j = 0; j < i; j += W) {
      vf x = first_lanes(load(from + j, n - j), i - j) * factor;
      check += x * 0;
      store(row + j, x);
    }
    row[i] = (float)(scale * from[i] + damping);  // in fp64, so that the sum is rounded once
    check[0] += row[i] * 0;
    memset(row + i + 1, 0, sizeof(float) * (lda - i - 1));
  }
  return is_zero(check);
}

/// Writes the symmetric matrix whose lower triangle A holds; false, and nothing, if an element is not finite.
static bool write_symmetric(const float* a, int lda, int n, float* out) {
  vf check = {};
  for (int i = 0; i < n; i++) {
    for (int j = 0; j <= i; j += W) check += first_lanes(load(a + (size_t)i * lda + j), i + 1 - j) * 0;
  }
  if (!is_zero(check)) return false;
  for (int i = 0; i < n; i += W) {
    int rows = least(W, n - i);
    for (int j = 0; j <= i; j += W) {
      vf block[W];
      for (int r = 0; r < W; r++) block[r] = r < rows ? load(a + (size_t)(i + r) * lda + j) : vf{};
      for (int r = 0; r < rows; r++) store(out + (size_t)(i + r) * n + j, block[r], n - j);
      transpose(block);
      if (i > j) {
        for (int c = 0; c < W; c++) store(out + (size_t)(j + c) * n + i, block[c], rows);
        continue;
      }
      for (int c = 0; c < rows; c++) {
        vf upper = load(a + (size_t)(i + c) * lda + i);
        vf lower = first_lanes(upper, c + 1);
        store(out + (size_t)(i + c) * n + i, lower + (block[c] - first_lanes(block[c], c + 1)), rows);
      }
    }
  }
  return true;
}

/// Inverts one damped matrix with memory of `invert_one_floats(n)`; on failure `inverse` keeps its value.
static int invert_one(const float* source, int n, double scale, double damping, float* inverse, float* work) {
  int lda = padded(n);
  size_t size = work_matrix(n);
  float *a = work, *rest = a + size, *pack = rest + size;
  if (!load_damped(source, n, scale, damping, a, lda)) return -1;
  memset(a + (size_t)n * lda, 0, sizeof(float) * lda * (round_up(n, M) - n));
  Factor factor = {a, lda, n, pack};
  int failure = n <= LEAF ? invert_leaf(a, lda, n) : factor.factorise();
  if (failure) return failure;
  if (n > LEAF) factor.invert(rest);
  multiply({n, n, n, factor.transposed(), factor.view(), 1, false, true, Trim::a_upper, rest, lda}, pack);
  return write_symmetric(rest, lda, n, inverse) ? 0 : -1;
}

}  // namespace kfac::KFAC_ISA
