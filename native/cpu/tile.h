// The register tile that every large product is made of.
#pragma once
#include "vector.h"

namespace kfac::KFAC_ISA {

constexpr int M = W >= 16 ? 8 : 4;  // rows of a tile

/// Where the samples of one operand lie: `runs` runs of `length` samples each. P values of a sample are contiguous.
struct Strides {
  ptrdiff_t step;  // floats from one sample to the next
  ptrdiff_t jump;  // floats from one run to the next
};

/// sums[i][j] += sum over samples of a[i] b[j], for i < M and j < P.
static inline __attribute__((always_inline)) void multiply(vf (&sums)[M][2], int runs, int length, const float* a,
                                                           Strides as, const float* b, Strides bs) {
  for (int r = 0; r < runs; r++, a += as.jump, b += bs.jump) {
    const float *p = a, *q = b;
    for (int k = 0; k < length; k++, p += as.step, q += bs.step) {
      vf left = load(q), right = load(q + W);
#pragma GCC unroll 8
      for (int i = 0; i < M; i++) {
        sums[i][0] += p[i] * left;
        sums[i][1] += p[i] * right;
      }
    }
  }
}

/// c[i][j] += sign * sum over samples of a[i] b[j].
static inline void add_tile(float sign, int runs, int length, const float* a, Strides as, const float* b, Strides bs,
                            float* c, ptrdiff_t ldc) {
  vf sums[M][2] = {};
  multiply(sums, runs, length, a, as, b, bs);
#pragma GCC unroll 8
  for (int i = 0; i < M; i++) {
    add(c + i * ldc, sign * sums[i][0]);
    add(c + i * ldc + W, sign * sums[i][1]);
  }
}

}  // namespace kfac::KFAC_ISA
