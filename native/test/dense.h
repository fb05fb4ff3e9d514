// Dense linear algebra in plain loops: fp64 references, and the fp32 Cholesky inverse that sets the error bound.
#pragma once
#include "harness.h"

namespace test {

// Inverse of a symmetric positive definite matrix as LAPACK forms it: Cholesky, inverse of the factor, product.
template <class T>
std::vector<T> cholesky_inverse(int n, std::vector<T> a) {
  for (int j = 0; j < n; ++j) {
    T d = a[j * n + j];
    for (int k = 0; k < j; ++k) d -= a[j * n + k] * a[j * n + k];
    a[j * n + j] = d = std::sqrt(d);
    for (int i = j + 1; i < n; ++i) {
      T v = a[i * n + j];
      for (int k = 0; k < j; ++k) v -= a[i * n + k] * a[j * n + k];
      a[i * n + j] = v / d;
    }
  }
  std::vector<T> x(size_t(n) * n, T(0)), inverse(size_t(n) * n);
  for (int j = 0; j < n; ++j)
    for (int i = j; i < n; ++i) {
      T v = i == j ? T(1) : T(0);
      for (int k = j; k < i; ++k) v -= a[i * n + k] * x[k * n + j];
      x[i * n + j] = v / a[i * n + i];
    }
  for (int i = 0; i < n; ++i)
    for (int j = 0; j <= i; ++j) {
      T v = 0;
      for (int k = i; k < n; ++k) v += x[k * n + i] * x[k * n + j];
      inverse[i * n + j] = inverse[j * n + i] = v;
    }
  return inverse;
}

// scale a + damping I
inline std::vector<double> damped(int n, const float* a, float scale, float damping) {
  std::vector<double> m(size_t(n) * n);
  for (int i = 0; i < n * n; ++i) m[i] = double(scale) * a[i] + (i % (n + 1) == 0 ? double(damping) : 0.0);
  return m;
}

// Exactly symmetric q q' of rank r, columns of q falling over `decades` orders of magnitude, largest eigenvalue 200.
inline std::vector<float> factor_matrix(int n, int rank, double decades) {
  std::vector<double> q(size_t(n) * rank), m(size_t(n) * n), v(n, 1.0);
  for (int i = 0; i < n; ++i)
    for (int k = 0; k < rank; ++k) q[i * rank + k] = normal() * std::pow(10.0, -decades * k / rank);
  for (int i = 0; i < n; ++i)
    for (int j = 0; j <= i; ++j) {
      double s = 0;
      for (int k = 0; k < rank; ++k) s += q[i * rank + k] * q[j * rank + k];
      m[i * n + j] = m[j * n + i] = s;
    }
  double largest = 1;
  for (int iteration = 0; iteration < 60; ++iteration) {
    std::vector<double> w(n);
    for (int i = 0; i < n; ++i)
      for (int j = 0; j < n; ++j) w[i] += m[i * n + j] * v[j];
    largest = 0;
    for (double x : w) largest += x * x;
    largest = std::sqrt(largest);
    for (int i = 0; i < n; ++i) v[i] = w[i] / largest;
  }
  std::vector<float> result(m.size());
  for (size_t i = 0; i < m.size(); ++i) result[i] = float(m[i] * 200 / largest);
  return result;
}

}  // namespace test
