// The damped inverse of one small matrix.
#pragma once
#include "diagonal.h"
#include "triangle.h"

namespace kfac::KFAC_ISA {

/// Work floats of `invert_single`.
static inline size_t single_floats(int n) { return Diagonal::floats(round_up(n, P)) + 16; }

/// Inverts one damped matrix of n <= LEAF; on failure `inverse` keeps its value.
static int invert_single(const float* source, int n, double scale, double damping, float* inverse, float* work) {
  int lda = round_up(n, P);
  Diagonal d = {aligned(work), lda, lda};
  if (!load_damped(source, n, 0, n, scale, damping, d.x(), lda)) return -1;
  memset(d.x() + n * lda, 0, sizeof(float) * lda * (lda - n));
  int failure = invert_leaf(d.x(), lda, n);
  if (failure) return failure;
  float* a = d.l();
  d.square(a, lda);
  if (!finite_trace(a, lda, n)) return -1;
  write_strip(a, lda, n, 0, n, inverse);
  return 0;
}

}  // namespace kfac::KFAC_ISA
