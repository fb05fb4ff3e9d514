// The inverse of one very small matrix, its rows in vectors of fp64.
#pragma once
#include "vector.h"

namespace kfac::KFAC_ISA {

/// In fp64 up to this size: with so few terms rounding errors do not average out.
constexpr int TINY = 16;

/// By rows of 16: the Schur complement S, above the diagonal, whose row k becomes the pivot's when k is eliminated, and
/// X, which goes from the identity to D^1/2 L^-1.
struct Tiny {
  static constexpr int V = W / 2;
  alignas(64) double s[TINY * TINY];
  alignas(64) double x[TINY * TINY];

  static vd& at(double* row, int j) { return *(vd*)(row + j); }

  /// From the lower triangle of the source; what lies below the diagonal of S is of no use and never used.
  void load(const float* source, int n, double scale, double damping) {
    alignas(64) float t[TINY * TINY];
    for (int i = 0; i < n; i += W) {
      for (int j = 0; j <= i; j += W) {
        transpose_to(source + i * n + j, n, least(W, n - i), least(W, n - j), t + j * TINY + i, TINY);
      }
    }
    for (int i = 0; i < n; i++) {
      for (int j = i / V * V; j < n; j += V) at(s + i * TINY, j) = widen(t + i * TINY + j) * scale;
      for (int j = 0; j < TINY; j += V) at(x + i * TINY, j) = vd{};
      s[i * TINY + i] += damping;
      x[i * TINY + i] = 1;
    }
  }

  /// Returns the 1-based pivot that is not positive and finite, or 0.
  int eliminate(int n) {
    for (int k = 0; k < n; k++) {
      double *sk = s + k * TINY, *xk = x + k * TINY, pivot = sk[k];
      if (!(pivot > 0) || pivot - pivot != 0) return k + 1;
      double reciprocal = 1 / pivot;
      for (int i = k + 1; i < n; i++) {
        double m = sk[i] * reciprocal, *si = s + i * TINY, *xi = x + i * TINY;
        for (int j = i / V * V; j < n; j += V) at(si, j) -= m * at(sk, j);
        for (int j = 0; j <= k; j += V) at(xi, j) -= m * at(xk, j);
      }
    }
    return 0;
  }

  /// X' D^-1 X, symmetric to the bit.
  void square(int n, float* out) {
    for (int k = 0; k < n; k++) {
      double root = 1 / __builtin_sqrt(s[k * TINY + k]);
      for (int j = 0; j <= k; j += V) at(x + k * TINY, j) *= root;
    }
    for (int i = 0; i < n; i++) {
      vd sums[TINY / V] = {};
      for (int k = i; k < n; k++) {
        double left = x[k * TINY + i];
        for (int j = 0; j < TINY / V; j++) sums[j] += left * at(x + k * TINY, j * V);
      }
      for (int j = 0; j < TINY / V; j++) *(vh*)(out + i * TINY + j * V) = __builtin_convertvector(sums[j], vh);
    }
  }
};

/// As invert_one for n <= TINY.
static int invert_tiny(const float* source, int n, double scale, double damping, float* inverse) {
  Tiny t;
  t.load(source, n, scale, damping);
  int failure = t.eliminate(n);
  if (failure) {
    for (int i = 0; i < n; i++) {
      for (int j = 0; j <= i; j++) {
        double a = scale * source[i * n + j] + (i == j ? damping : 0);
        if (a - a != 0) return -1;
      }
    }
    return failure;
  }
  alignas(64) float out[TINY * TINY];
  t.square(n, out);
  float trace = 0;
  for (int i = 0; i < n; i++) trace += out[i * (TINY + 1)];
  if (trace - trace != 0) return -1;
  for (int i = 0; i < n; i++) {
    for (int j = 0; j < n; j += W) store(inverse + i * n + j, kfac::KFAC_ISA::load(out + i * TINY + j), n - j);
  }
  return 0;
}

}  // namespace kfac::KFAC_ISA
