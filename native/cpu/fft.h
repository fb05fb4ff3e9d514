// Discrete Fourier transforms of short lengths in fp64, one in each lane of the vectors.
#pragma once
#include "vector.h"

namespace kfac::KFAC_ISA {

struct Complex {
  vd re, im;
};

static inline Complex operator+(Complex a, Complex b) { return {a.re + b.re, a.im + b.im}; }
static inline Complex operator-(Complex a, Complex b) { return {a.re - b.re, a.im - b.im}; }
static inline Complex operator*(double f, Complex a) { return {f * a.re, f * a.im}; }
static inline Complex over_i(Complex a) { return {a.im, -a.re}; }  // a / i
static inline Complex twist(Complex a, double c, double s) { return {a.re * c - a.im * s, a.re * s + a.im * c}; }

/// In place: x[j] = sum over k of x[k] e^(-2 pi i j k / R).
template <int R>
static inline void butterfly(Complex (&x)[R]) {
  if constexpr (R == 2) {
    Complex a = x[0], b = x[1];
    x[0] = a + b;
    x[1] = a - b;
  } else if constexpr (R == 3) {
    constexpr double s = 0.866025403784438647;
    Complex sum = x[1] + x[2], mean = x[0] - 0.5 * sum, side = over_i(s * (x[1] - x[2]));
    x[0] = x[0] + sum;
    x[1] = mean + side;
    x[2] = mean - side;
  } else if constexpr (R == 4) {
    Complex a = x[0] + x[2], b = x[0] - x[2], c = x[1] + x[3], d = over_i(x[1] - x[3]);
    x[0] = a + c;
    x[1] = b + d;
    x[2] = a - c;
    x[3] = b - d;
  } else {
    static_assert(R == 5);
    constexpr double c1 = 0.309016994374947424, c2 = -0.809016994374947424;
    constexpr double s1 = 0.951056516295153572, s2 = 0.587785252292473129;
    Complex p = x[1] + x[4], q = x[2] + x[3], m = x[1] - x[4], n = x[2] - x[3];
    Complex a = x[0] + c1 * p + c2 * q, b = x[0] + c2 * p + c1 * q;
    Complex c = over_i(s1 * m + s2 * n), d = over_i(s2 * m - s1 * n);
    x[0] = x[0] + p + q;
    x[1] = a + c;
    x[4] = a - c;
    x[2] = b + d;
    x[3] = b - d;
  }
}

/// A length with only the factors 2, 3 and 5, and its roots of unity.
struct Fft {
  static constexpr int MAX = 1024;
  int n;
  double c[MAX], s[MAX];  // cos and -sin of 2 pi k / n

  /// The least length that is not below `size`; above MAX there is none.
  static int length(int size) {
    for (;; size++) {
      int rest = size;
      for (int factor = 2; factor <= 5; factor++) {
        while (rest % factor == 0) rest /= factor;
      }
      if (rest == 1) return size;
    }
  }

  void set(int length) {
    n = length;
    for (int k = 0; k < n; k++) {
      double angle = 2 * 3.14159265358979323846 * k / n;
      c[k] = __builtin_cos(angle);
      s[k] = -__builtin_sin(angle);
    }
  }

  /// One pass of radix R over m * R * stride values, stride of them already transformed side by side (Stockham).
  template <int R>
  void pass(int m, int stride, const Complex* x, Complex* y) const {
    int step = n / (m * R);
    for (int p = 0; p < m; p++) {
      for (int q = 0; q < stride; q++) {
        Complex v[R];
        for (int k = 0; k < R; k++) v[k] = x[q + stride * (p + m * k)];
        butterfly(v);
        for (int k = 0; k < R; k++) {
          int root = p * k * step % n;
          y[q + stride * (R * p + k)] = root == 0 ? v[k] : twist(v[k], c[root], s[root]);
        }
      }
    }
  }

  /// Transforms n values at x with memory of as many at y; returns where the result lies, x or y.
  Complex* run(Complex* x, Complex* y) const {
    int rest = n, stride = 1;
    while (rest > 1) {
      int radix = rest % 4 == 0 ? 4 : rest % 5 == 0 ? 5 : rest % 3 == 0 ? 3 : 2;
      rest /= radix;
      if (radix == 4) pass<4>(rest, stride, x, y);
      if (radix == 5) pass<5>(rest, stride, x, y);
      if (radix == 3) pass<3>(rest, stride, x, y);
      if (radix == 2) pass<2>(rest, stride, x, y);
      stride *= radix;
      Complex* swapped = x;
      x = y;
      y = swapped;
    }
    return x;
  }
};

}  // namespace kfac::KFAC_ISA
