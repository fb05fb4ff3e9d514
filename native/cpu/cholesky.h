// The Cholesky factor L of a diagonal block, and L^-1.
#pragma once
#include "leaf.h"
#include "product.h"

namespace kfac::KFAC_ISA {

/// The largest diagonal block whose inverse stands for a triangular solve. Larger ones would be faster, but lose digits
/// where a leading block of the matrix is nearly singular.
constexpr int BLOCK = 32;

/// Where a matrix of n columns is split, a multiple of P.
static inline int half(int n) { return round_up(n / 2, n > BLOCK ? BLOCK : P); }

/// Lower triangular factors in place, except that diagonal blocks are inverted; n is a multiple of W. Products use
/// `pack`, of pack_floats(n), and inverses `work`, of n x n.
struct Factor {
  float* a;
  ptrdiff_t lda;
  int n;
  float *pack, *work;

  Factor leading() const { return {a, lda, half(n), pack, work}; }
  Factor trailing() const { return {a + half(n) * (lda + 1), lda, n - half(n), pack, work}; }
  View view() const { return {a, lda, 1}; }
  View transposed() const { return {a, 1, lda}; }
  float* below() const { return a + half(n) * lda; }

  /// From the symmetric matrix; returns 0, the 1-based pivot that is not positive, or -1 on overflow.
  int factorise() const {
    if (n == W) {
      vf rows[W];
      return invert_leaf(a, lda, rows);
    }
    if (n == P) return invert_pair(a, lda);
    Factor first = leading(), second = trailing();
    int failure = first.factorise();
    if (failure) return failure;
    first.solve(below(), second.n);
    View l = {below(), lda, 1}, lt = {below(), 1, lda};
    multiply({second.n, second.n, first.n, l, lt, -1, true, true, Trim::none, second.a, lda}, pack);
    failure = second.factorise();
    if (failure) return failure > 0 ? first.n + failure : failure;
    if (n <= BLOCK) join();
    return 0;
  }

  /// B = B L^-T for B of m rows.
  void solve(float* b, int m) const {
    if (n <= BLOCK) {
      multiply({m, n, n, {b, lda, 1}, transposed(), 1, false, false, Trim::b_upper, b, lda}, pack);
      return;
    }
    Factor first = leading();
    first.solve(b, m);
    View l21t = {below(), 1, lda};
    multiply({m, n - first.n, first.n, {b, lda, 1}, l21t, -1, true, false, Trim::none, b + first.n, lda}, pack);
    trailing().solve(b + first.n, m);
  }

  /// L^-1 in place of L.
  void invert() const {
    if (n <= BLOCK) return;
    leading().invert();
    trailing().invert();
    join();
  }

  /// From the inverses of both halves of L to that of the whole.
  void join() const {
    Factor first = leading(), second = trailing();
    View l21 = {below(), lda, 1};
    multiply({second.n, first.n, first.n, l21, first.view(), 1, false, false, Trim::b_lower, work, first.n}, pack);
    View product = {work, first.n, 1};
    multiply({second.n, first.n, second.n, second.view(), product, -1, false, false, Trim::a_lower, below(), lda},
             pack);
  }
};

}  // namespace kfac::KFAC_ISA
