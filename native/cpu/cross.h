// Cross spectra of two panels, and the correlations they are the transform of.
#pragma once
#include "tile.h"

namespace kfac::KFAC_ISA {

/// The inverse transform to some shifts: for each frequency, the real part's weight for every shift, then the imaginary
/// part's.
struct Inverse {
  int shifts;       // a multiple of M
  double* weights;  // [frequencies][2][shifts]

  static int padded(int shifts) { return round_up(shifts, M); }
};

constexpr int FREQUENCIES = 64;         // that are transformed back together
constexpr ptrdiff_t CROSS = Q * Q + Q;  // doubles from one frequency to the next: no power of two

/// re + i im = sum over images of conj(a) b for ROWS channels of a and all of b. A value is Q real and Q imaginary
/// parts.
static inline void cross_tile(int images, const double* a, const double* b, double* re, double* im) {
  constexpr int ROWS = 4;
  vd r[ROWS][2] = {}, m[ROWS][2] = {};
  for (int n = 0; n < images; n++, a += 2 * Q, b += 2 * Q) {
    vd c0 = load(b), c1 = load(b + D), d0 = load(b + Q), d1 = load(b + Q + D);
#pragma GCC unroll 4
    for (int i = 0; i < ROWS; i++) {
      double x = a[i], y = a[Q + i];
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
    store(re + i * Q, r[i][0]);
    store(re + i * Q + D, r[i][1]);
    store(im + i * Q, m[i][0]);
    store(im + i * Q + D, m[i][1]);
  }
}

/// What a correlation and its mirror image share: even and odd [shifts][Q][Q] parts.
struct Parts {
  double *even, *odd;

  static size_t doubles(int shifts) { return 2 * (size_t)shifts * Q * Q; }
};

static inline size_t cross_doubles(int shifts) { return Parts::doubles(shifts) + 2 * (size_t)FREQUENCIES * CROSS; }

/// Transforms the cross spectrum of a and b back: frequency f at a + f * stride and b + f * stride.
static Parts correlate(int images, int frequencies, const double* a, const double* b, size_t stride,
                       const Inverse& inverse, double* scratch) {
  int shifts = inverse.shifts;
  Parts parts = {scratch, scratch + (size_t)shifts * Q * Q};
  double* re = scratch + Parts::doubles(shifts);
  double* im = re + FREQUENCIES * CROSS;
  memset(scratch, 0, sizeof(double) * Parts::doubles(shifts));
  for (int f0 = 0; f0 < frequencies; f0 += FREQUENCIES) {
    int count = least(FREQUENCIES, frequencies - f0);
    for (int f = 0; f < count; f++) {
      const double *x = a + (f0 + f) * stride, *y = b + (f0 + f) * stride;
      for (int i = 0; i < Q; i += 4) cross_tile(images, x + i, y, re + f * CROSS + i * Q, im + f * CROSS + i * Q);
    }
    const double* weights = inverse.weights + (size_t)f0 * 2 * shifts;
    Strides step = {2 * shifts, 0}, values = {CROSS, 0};
    for (int i = 0; i < Q * Q; i += Q) {
      for (int d = 0; d < shifts; d += M) {
        size_t to = (size_t)d * Q * Q + i;
        add_tile(1, count, weights + d, step, re + i, values, parts.even + to, Q * Q);
        add_tile(1, count, weights + shifts + d, step, im + i, values, parts.odd + to, Q * Q);
      }
    }
  }
  return parts;
}

/// Adds to, or sets, a correlation and its mirror image, which may be the same.
static void write_shift(const Parts& parts, int shift, bool overwrite, double* forward, double* backward) {
  size_t at = (size_t)shift * Q * Q;
  for (int k = 0; k < Q * Q; k += D) {
    vd even = load(parts.even + at + k), odd = load(parts.odd + at + k);
    store(forward + k, overwrite ? even + odd : load(forward + k) + (even + odd));
    if (backward != forward) store(backward + k, overwrite ? even - odd : load(backward + k) + (even - odd));
  }
}

}  // namespace kfac::KFAC_ISA
