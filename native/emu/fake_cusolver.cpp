// Stand-in for libcusolver.so.12 in plain loops: Cholesky factor, inverse from the factor, and symmetric
// eigenvalues by Jacobi rotations. Column-major, uplo 0: lower, 1: upper, as cuSOLVER.
#include <cmath>
#include <cstddef>
#include <cstdlib>
#include <utility>
#include <vector>

namespace {

enum { SUCCESS = 0, INVALID_VALUE = 3 };

// The stored triangle seen as a lower one.
template <class T>
struct Lower {
  T* a;
  int lead, uplo;
  T& operator()(int row, int column) const {
    return uplo ? a[column + size_t(row) * lead] : a[row + size_t(column) * lead];
  }
};

template <class T>
int potrf(int uplo, int n, T* a, int lda, int* info) {
  if (n < 0 || lda < n) return INVALID_VALUE;
  const Lower<T> l{a, lda, uplo};
  *info = 0;
  for (int j = 0; j < n; ++j) {
    T d = l(j, j);
    for (int k = 0; k < j; ++k) d -= l(j, k) * l(j, k);
    if (!(d > 0)) return *info = j + 1, SUCCESS;
    l(j, j) = d = std::sqrt(d);
    for (int i = j + 1; i < n; ++i) {
      T v = l(i, j);
      for (int k = 0; k < j; ++k) v -= l(i, k) * l(j, k);
      l(i, j) = v / d;
    }
  }
  return SUCCESS;
}

template <class T>
int potri(int uplo, int n, T* a, int lda, int* info) {
  if (n < 0 || lda < n) return INVALID_VALUE;
  const Lower<T> l{a, lda, uplo};
  std::vector<T> x(size_t(n) * n, T(0));
  for (int j = 0; j < n; ++j)
    for (int i = j; i < n; ++i) {
      T v = i == j ? T(1) : T(0);
      for (int k = j; k < i; ++k) v -= l(i, k) * x[size_t(k) * n + j];
      x[size_t(i) * n + j] = v / l(i, i);
    }
  for (int i = 0; i < n; ++i)
    for (int j = 0; j <= i; ++j) {
      T v = 0;
      for (int k = i; k < n; ++k) v += x[size_t(k) * n + i] * x[size_t(k) * n + j];
      l(i, j) = v;
    }
  return *info = 0, SUCCESS;
}

// Eigenvalues in ascending order into w, eigenvectors into the columns of a.
template <class T>
int syevd(int uplo, int n, T* a, int lda, T* w, int* info) {
  if (n < 0 || lda < n) return INVALID_VALUE;
  const Lower<T> l{a, lda, uplo};
  std::vector<double> m(size_t(n) * n), q(size_t(n) * n, 0.0);
  for (int i = 0; i < n; ++i) {
    q[size_t(i) * n + i] = 1.0;
    for (int j = 0; j <= i; ++j) m[size_t(i) * n + j] = m[size_t(j) * n + i] = l(i, j);
  }
  for (int round = 0; round < 60; ++round) {
    double off = 0, all = 0;
    for (int i = 0; i < n; ++i)
      for (int j = 0; j < n; ++j) (i == j ? all : off) += m[size_t(i) * n + j] * m[size_t(i) * n + j];
    if (off <= 1e-26 * (all + off)) break;
    for (int p = 0; p < n; ++p)
      for (int r = p + 1; r < n; ++r) {
        const double x = m[size_t(p) * n + r];
        if (x == 0.0) continue;
        const double theta = (m[size_t(r) * n + r] - m[size_t(p) * n + p]) / (2 * x);
        const double t = (theta >= 0 ? 1 : -1) / (std::fabs(theta) + std::sqrt(theta * theta + 1));
        const double c = 1 / std::sqrt(t * t + 1), s = t * c;
        auto rotate = [&](double& u, double& v) {
          const double old = u;
          u = c * old - s * v;
          v = s * old + c * v;
        };
        for (int k = 0; k < n; ++k) rotate(m[size_t(k) * n + p], m[size_t(k) * n + r]);
        for (int k = 0; k < n; ++k) rotate(m[size_t(p) * n + k], m[size_t(r) * n + k]);
        for (int k = 0; k < n; ++k) rotate(q[size_t(k) * n + p], q[size_t(k) * n + r]);
      }
  }
  std::vector<int> order(n);
  for (int i = 0; i < n; ++i) order[i] = i;
  for (int i = 1; i < n; ++i)
    for (int j = i; j > 0 && m[size_t(order[j]) * (n + 1)] < m[size_t(order[j - 1]) * (n + 1)]; --j)
      std::swap(order[j], order[j - 1]);
  for (int j = 0; j < n; ++j) {
    w[j] = T(m[size_t(order[j]) * (n + 1)]);
    for (int i = 0; i < n; ++i) a[i + size_t(j) * lda] = T(q[size_t(i) * n + order[j]]);
  }
  return *info = 0, SUCCESS;
}

}  // namespace

extern "C" {

int cusolverGetVersion(int* version) { return *version = 12000, SUCCESS; }
int cusolverDnCreate(void** handle) { return *handle = std::malloc(1), SUCCESS; }
int cusolverDnDestroy(void* handle) { return std::free(handle), SUCCESS; }
int cusolverDnSetStream(void*, void*) { return SUCCESS; }

int cusolverDnSpotrf_bufferSize(void*, int, int, float*, int, int* size) { return *size = 1, SUCCESS; }
int cusolverDnDpotrf_bufferSize(void*, int, int, double*, int, int* size) { return *size = 1, SUCCESS; }
int cusolverDnSpotri_bufferSize(void*, int, int, float*, int, int* size) { return *size = 1, SUCCESS; }
int cusolverDnDpotri_bufferSize(void*, int, int, double*, int, int* size) { return *size = 1, SUCCESS; }
int cusolverDnSsyevd_bufferSize(void*, int, int, int, const float*, int, const float*, int* size) {
  return *size = 1, SUCCESS;
}
int cusolverDnDsyevd_bufferSize(void*, int, int, int, const double*, int, const double*, int* size) {
  return *size = 1, SUCCESS;
}
int cusolverDnSpotrf(void*, int uplo, int n, float* a, int lda, float*, int, int* info) {
  return potrf(uplo, n, a, lda, info);
}
int cusolverDnDpotrf(void*, int uplo, int n, double* a, int lda, double*, int, int* info) {
  return potrf(uplo, n, a, lda, info);
}
int cusolverDnSpotri(void*, int uplo, int n, float* a, int lda, float*, int, int* info) {
  return potri(uplo, n, a, lda, info);
}
int cusolverDnDpotri(void*, int uplo, int n, double* a, int lda, double*, int, int* info) {
  return potri(uplo, n, a, lda, info);
}
int cusolverDnSsyevd(void*, int, int uplo, int n, float* a, int lda, float* w, float*, int, int* info) {
  return syevd(uplo, n, a, lda, w, info);
}
int cusolverDnDsyevd(void*, int, int uplo, int n, double* a, int lda, double* w, double*, int, int* info) {
  return syevd(uplo, n, a, lda, w, info);
}

}  // extern "C"
