// Stand-in for libcusolver.so.12 in plain loops: Cholesky factor, inverse from the factor, and symmetric eigenvalues by
// tridiagonalisation or by Jacobi rotations. Column-major, uplo 0: lower, 1: upper, as cuSOLVER.
//
// KFAC_FAKE_EIGEN="FUNCTION WHAT": this function (or all that find eigenvalues) then fails: info says so, or a nan or a
// noisy eigenvalue is among the results and info is 0.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <numeric>
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

// A symmetric matrix by rows, and its eigenvectors as rows.
struct Eigenproblem {
  int n;
  std::vector<double> m, q;

  Eigenproblem(int uplo, int n, double* a, int lda) : n(n), m(size_t(n) * n), q(size_t(n) * n, 0.0) {
    const Lower<double> l{a, lda, uplo};
    for (int i = 0; i < n; ++i) {
      row(i)[i] = 1.0;
      for (int j = 0; j <= i; ++j) at(i, j) = at(j, i) = l(i, j);
    }
  }
  double& at(int i, int j) { return m[size_t(i) * n + j]; }
  double* row(int i) { return &q[size_t(i) * n]; }

  // [x, y] := [c x - s y, s x + c y] for two rows of q.
  void rotate(int i, int j, double c, double s) {
    double *x = row(i), *y = row(j);
    for (int k = 0; k < n; ++k) {
      const double old = x[k];
      x[k] = c * old - s * y[k];
      y[k] = s * old + c * y[k];
    }
  }

  // Ascending eigenvalues into w, eigenvectors into the columns of a.
  void store(const std::vector<double>& values, double* a, int lda, double* w) {
    std::vector<int> order(n);
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](int i, int j) { return values[i] < values[j]; });
    for (int j = 0; j < n; ++j) {
      w[j] = values[order[j]];
      std::copy_n(row(order[j]), n, a + size_t(j) * lda);
    }
  }
};

// Reflections make it tridiagonal: diagonal d, e[i] between i and i + 1, q its vectors.
void tridiagonalise(Eigenproblem& p, std::vector<double>& d, std::vector<double>& e) {
  const int n = p.n;
  std::vector<double> v(n), mv(n);
  for (int k = 0; k + 2 < n; ++k) {
    double norm = 0;
    for (int i = k + 1; i < n; ++i) norm = std::hypot(norm, v[i] = p.at(i, k));
    if (norm == 0) continue;
    v[k + 1] += v[k + 1] < 0 ? -norm : norm;
    double vv = 0;
    for (int i = k + 1; i < n; ++i) vv += v[i] / norm * (v[i] / norm);
    // H = I - 2 v v' / |v|^2 on both sides of m, and on the rows of q
    for (int i = k + 1; i < n; ++i) v[i] /= norm * std::sqrt(vv);
    for (int i = k; i < n; ++i) {
      mv[i] = 0;
      for (int j = k + 1; j < n; ++j) mv[i] += p.at(i, j) * v[j];
    }
    double vmv = 0;
    for (int i = k + 1; i < n; ++i) vmv += v[i] * mv[i];
    for (int i = k + 1; i < n; ++i) {
      p.at(i, k) = p.at(k, i) -= 2 * mv[k] * v[i];
      for (int j = k + 1; j < n; ++j) p.at(i, j) -= 2 * (v[i] * mv[j] + mv[i] * v[j]) - 4 * vmv * v[i] * v[j];
    }
    std::vector<double> vq(n, 0.0);
    for (int i = k + 1; i < n; ++i)
      for (int c = 0; c < n; ++c) vq[c] += v[i] * p.row(i)[c];
    for (int i = k + 1; i < n; ++i)
      for (int c = 0; c < n; ++c) p.row(i)[c] -= 2 * v[i] * vq[c];
  }
  for (int i = 0; i < n; ++i) {
    d[i] = p.at(i, i);
    e[i] = i + 1 < n ? p.at(i + 1, i) : 0.0;
  }
}

// Implicit QL steps with Wilkinson's shift. Returns how many values did not converge.
int ql(Eigenproblem& p, std::vector<double>& d, std::vector<double>& e) {
  const int n = p.n;
  double norm = 0;
  for (int i = 0; i < n; ++i) norm = std::max(norm, std::fabs(d[i]) + std::fabs(e[i]));
  const double small = norm * std::numeric_limits<double>::epsilon();
  for (int l = 0; l < n; ++l)
    for (int sweep = 0;; ++sweep) {
      int m = l;
      while (m + 1 < n && std::fabs(e[m]) > small) ++m;
      if (m == l) break;
      if (sweep == 60) return n - l;
      const double half = (d[l + 1] - d[l]) / (2 * e[l]), r = std::hypot(half, 1.0);
      double g = d[m] - d[l] + e[l] / (half + std::copysign(r, half)), c = 1, s = 1, shift = 0;
      int i = m - 1;
      for (; i >= l; --i) {
        const double f = s * e[i], b = c * e[i];
        const double length = e[i + 1] = std::hypot(f, g);
        if (length == 0) break;
        s = f / length, c = g / length;
        g = d[i + 1] - shift;
        const double t = (d[i] - g) * s + 2 * c * b;
        shift = s * t;
        d[i + 1] = g + shift;
        g = c * t - b;
        p.rotate(i, i + 1, c, s);
      }
      if (i >= l) {
        d[i + 1] -= shift;
        e[m] = 0;
        continue;
      }
      d[l] -= shift;
      e[l] = g;
      e[m] = 0;
    }
  return 0;
}

void jacobi(Eigenproblem& p, std::vector<double>& values) {
  const int n = p.n;
  for (int round = 0; round < 60; ++round) {
    double off = 0, all = 0;
    for (int i = 0; i < n; ++i)
      for (int j = 0; j < n; ++j) (i == j ? all : off) += p.at(i, j) * p.at(i, j);
    if (off <= 1e-33 * all) break;
    for (int i = 0; i < n; ++i)
      for (int j = i + 1; j < n; ++j) {
        const double x = p.at(i, j);
        if (x == 0.0) continue;
        const double theta = (p.at(j, j) - p.at(i, i)) / (2 * x);
        const double t = (theta >= 0 ? 1 : -1) / (std::fabs(theta) + std::sqrt(theta * theta + 1));
        const double c = 1 / std::sqrt(t * t + 1), s = t * c;
        for (int k = 0; k < n; ++k) {
          const double old = p.at(k, i);
          p.at(k, i) = c * old - s * p.at(k, j);
          p.at(k, j) = s * old + c * p.at(k, j);
        }
        for (int k = 0; k < n; ++k) {
          const double old = p.at(i, k);
          p.at(i, k) = c * old - s * p.at(j, k);
          p.at(j, k) = s * old + c * p.at(j, k);
        }
        p.at(i, j) = p.at(j, i) = 0;
        p.rotate(i, j, c, s);
      }
  }
  for (int i = 0; i < n; ++i) values[i] = p.at(i, i);
}

int spoil(const char* function, int n, double* a, double* w, int* info) {
  const char* wish = std::getenv("KFAC_FAKE_EIGEN");
  char name[64] = "", what[16] = "";
  if (!wish || std::sscanf(wish, "%63s %15s", name, what) != 2) return SUCCESS;
  if (std::strcmp(name, function) && std::strcmp(name, "all")) return SUCCESS;
  if (!std::strcmp(what, "info")) *info = 1;
  if (!std::strcmp(what, "nan")) a[0] = w[n - 1] = NAN;
  if (!std::strcmp(what, "noise")) w[0] += 1e-6 * std::fabs(w[n - 1]);
  return SUCCESS;
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
int cusolverDnDsyevd_bufferSize(void*, int, int, int, const double*, int, const double*, int* size) {
  return *size = 1, SUCCESS;
}
int cusolverDnDsyevj_bufferSize(void*, int, int, int, const double*, int, const double*, int* size, void*) {
  return *size = 1, SUCCESS;
}
int cusolverDnCreateSyevjInfo(void** info) { return *info = std::malloc(1), SUCCESS; }
int cusolverDnDestroySyevjInfo(void* info) { return std::free(info), SUCCESS; }
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
int cusolverDnDsyevd(void*, int, int uplo, int n, double* a, int lda, double* w, double*, int, int* info) {
  if (n < 1 || lda < n) return INVALID_VALUE;
  Eigenproblem p(uplo, n, a, lda);
  std::vector<double> d(n), e(n);
  tridiagonalise(p, d, e);
  *info = ql(p, d, e);
  p.store(d, a, lda, w);
  return spoil(__func__, n, a, w, info);
}
int cusolverDnDsyevj(void*, int, int uplo, int n, double* a, int lda, double* w, double*, int, int* info, void*) {
  if (n < 1 || lda < n) return INVALID_VALUE;
  Eigenproblem p(uplo, n, a, lda);
  std::vector<double> values(n);
  jacobi(p, values);
  p.store(values, a, lda, w);
  *info = 0;
  return spoil(__func__, n, a, w, info);
}

}  // extern "C"
