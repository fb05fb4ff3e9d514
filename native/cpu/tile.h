// The register tile that every large product is made of.
#pragma once
#include "vector.h"

namespace kfac::KFAC_ISA {

constexpr int M = W >= 16 ? 8 : 4;  // rows of a tile

/// Where the samples of one operand lie: `runs` runs of `length` samples each. A panel's values of a sample are
/// contiguous.
struct Strides {
  ptrdiff_t step;  // elements from one sample to the next
  ptrdiff_t jump;  // elements from one run to the next
};

/// c[i][j] += sum over samples of a[i] b[j] for i < M and j < Q, in fp64.
static inline void add_tile(int runs, int length, const double* a, Strides as, const double* b, Strides bs, double* c,
                            ptrdiff_t ldc) {
  vd sums[M][2] = {};
  for (int r = 0; r < runs; r++, a += as.jump, b += bs.jump) {
    const double *p = a, *q = b;
    for (int k = 0; k < length; k++, p += as.step, q += bs.step) {
      vd left = load(q), right = load(q + D);
#pragma GCC unroll 8
      for (int i = 0; i < M; i++) {
        sums[i][0] += p[i] * left;
        sums[i][1] += p[i] * right;
      }
    }
  }
#pragma GCC unroll 8
  for (int i = 0; i < M; i++) {
    add(c + i * ldc, sums[i][0]);
    add(c + i * ldc + D, sums[i][1]);
  }
}

}  // namespace kfac::KFAC_ISA
