// Cross spectra of two panels, and the correlations they are the transform of.
#pragma once
#include "tile.h"

namespace kfac::KFAC_ISA {

/// The inverse transform to some shifts: for each frequency, the real part's weight for every shift, then the imaginary
/// part's.
struct Inverse {
  int shifts;      // a multiple of M
  float* weights;  // [frequencies][2][shifts]

  static int padded(int shifts) { return round_up(shifts, M); }
};

constexpr int FREQUENCIES = 64;         // that are transformed back together
constexpr ptrdiff_t CROSS = P * P + P;  // floats from one frequency to the next: no power of two

/// re + i im = sum over images of conj(a) b for ROWS channels of a and all of b. A value is P real and P imaginary
/// parts.
static inline void cross_tile(int images, const float* a, const float* b, float* re, float* im) {
  constexpr int ROWS = 4;
  vf r[ROWS][2] = {}, m[ROWS][2] = {};
  for (int n = 0; n < images; n++, a += 2 * P, b += 2 * P) {
    vf c0 = load(b), c1 = load(b + W), d0 = load(b + P), d1 = load(b + P + W);
#pragma GCC unroll 4
    for (int i = 0; i < ROWS; i++) {
      float x = a[i], y = a[P + i];
      r[i][0] += x * c0;
      r[i][1] += x * c1;
      m[i][0] += x * d0;
      m[i][1] += x * d1;
      r[i][0] += y * d0;
      r[i][1] += y * d1;
      m[i][0] -= y * c0;
      m[i][1] -= y * c1;
    }
  }
  for (int i = 0; i < ROWS; i++) {
    store(re + i * P, r[i][0]);
    store(re + i * P + W, r[i][1]);
    store(im + i * P, m[i][0]);
    store(im + i * P + W, m[i][1]);
  }
}

/// What a correlation and its mirror image share: even and odd [shifts][P][P] parts.
struct Parts {
  float *even, *odd;

  static size_t floats(int shifts) { return 2 * (size_t)shifts * P * P; }
};

static inline size_t cross_floats(int shifts) { return Parts::floats(shifts) + 2 * (size_t)FREQUENCIES * CROSS; }

/// Transforms the cross spectrum of a and b back: frequency f at a + f * stride and b + f * stride.
static Parts correlate(int images, int frequencies, const float* a, const float* b, size_t stride,
                       const Inverse& inverse, float* scratch) {
  int shifts = inverse.shifts;
  Parts parts = {scratch, scratch + (size_t)shifts * P * P};
  float* re = scratch + Parts::floats(shifts);
  float* im = re + FREQUENCIES * CROSS;
  memset(scratch, 0, sizeof(float) * Parts::floats(shifts));
  for (int f0 = 0; f0 < frequencies; f0 += FREQUENCIES) {
    int count = least(FREQUENCIES, frequencies - f0);
    for (int f = 0; f < count; f++) {
      const float *x = a + (f0 + f) * stride, *y = b + (f0 + f) * stride;
      for (int i = 0; i < P; i += 4) cross_tile(images, x + i, y, re + f * CROSS + i * P, im + f * CROSS + i * P);
    }
    const float* weights = inverse.weights + (size_t)f0 * 2 * shifts;
    Strides step = {2 * shifts, 0}, values = {CROSS, 0};
    for (int i = 0; i < P * P; i += P) {
      for (int d = 0; d < shifts; d += M) {
        size_t to = (size_t)d * P * P + i;
        add_tile(1, 1, count, weights + d, step, re + i, values, parts.even + to, P * P);
        add_tile(1, 1, count, weights + shifts + d, step, im + i, values, parts.odd + to, P * P);
      }
    }
  }
  return parts;
}

/// Adds to, or sets, a correlation and its mirror image, which may be the same.
static void write_shift(const Parts& parts, int shift, bool overwrite, float* forward, float* backward) {
  size_t at = (size_t)shift * P * P;
  for (int k = 0; k < P * P; k += W) {
    vf even = load(parts.even + at + k), odd = load(parts.odd + at + k);
    store(forward + k, overwrite ? even + odd : load(forward + k) + (even + odd));
    if (backward != forward) store(backward + k, overwrite ? even - odd : load(backward + k) + (even - odd));
  }
}

}  // namespace kfac::KFAC_ISA
