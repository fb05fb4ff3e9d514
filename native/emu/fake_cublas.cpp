// Stand-in for libcublas.so.13 in plain loops: column-major, as cuBLAS.
#include <cstddef>
#include <cstdlib>

namespace {

enum { SUCCESS = 0, INVALID_VALUE = 7 };

template <class T>
T element(const T* a, int transposed, int lead, int row, int column) {
  return transposed ? a[column + size_t(row) * lead] : a[row + size_t(column) * lead];
}

template <class T>
int gemm(int ta, int tb, int m, int n, int k, const T* alpha, const T* a, int lda, const T* b, int ldb, const T* beta,
         T* c, int ldc) {
  if (m < 0 || n < 0 || k < 0 || ldc < m) return INVALID_VALUE;
  for (int j = 0; j < n; ++j)
    for (int i = 0; i < m; ++i) {
      T sum = 0;
      for (int l = 0; l < k; ++l) sum += element(a, ta, lda, i, l) * element(b, tb, ldb, l, j);
      T& to = c[i + size_t(j) * ldc];
      to = *alpha * sum + (*beta == T(0) ? T(0) : *beta * to);
    }
  return SUCCESS;
}

template <class T>
int batched(int ta, int tb, int m, int n, int k, const T* alpha, const T* a, int lda, long long sa, const T* b, int ldb,
            long long sb, const T* beta, T* c, int ldc, long long sc, int count) {
  for (int i = 0; i < count; ++i)
    if (int error = gemm(ta, tb, m, n, k, alpha, a + i * sa, lda, b + i * sb, ldb, beta, c + i * sc, ldc)) return error;
  return SUCCESS;
}

// uplo 0: lower, 1: upper
template <class T>
int syrk(int uplo, int transposed, int n, int k, const T* alpha, const T* a, int lda, const T* beta, T* c, int ldc) {
  if (n < 0 || k < 0 || ldc < n) return INVALID_VALUE;
  for (int j = 0; j < n; ++j)
    for (int i = uplo ? 0 : j; i < (uplo ? j + 1 : n); ++i) {
      T sum = 0;
      for (int l = 0; l < k; ++l) sum += element(a, transposed, lda, i, l) * element(a, transposed, lda, j, l);
      T& to = c[i + size_t(j) * ldc];
      to = *alpha * sum + (*beta == T(0) ? T(0) : *beta * to);
    }
  return SUCCESS;
}

}  // namespace

extern "C" {

int cublasCreate_v2(void** handle) { return *handle = std::malloc(1), SUCCESS; }
int cublasDestroy_v2(void* handle) { return std::free(handle), SUCCESS; }
int cublasGetVersion_v2(void*, int* version) { return *version = 130000, SUCCESS; }
int cublasSetStream_v2(void*, void*) { return SUCCESS; }
int cublasSetWorkspace_v2(void*, void*, size_t) { return SUCCESS; }
int cublasSetMathMode(void*, int) { return SUCCESS; }
int cublasSetPointerMode_v2(void*, int) { return SUCCESS; }
const char* cublasGetStatusName(int status) { return status ? "CUBLAS_STATUS (stand-in)" : "CUBLAS_STATUS_SUCCESS"; }
const char* cublasGetStatusString(int status) { return status ? "cuBLAS error (stand-in)" : "success"; }

int cublasSgemm_v2(void*, int ta, int tb, int m, int n, int k, const float* alpha, const float* a, int lda,
                   const float* b, int ldb, const float* beta, float* c, int ldc) {
  return gemm(ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}
int cublasDgemm_v2(void*, int ta, int tb, int m, int n, int k, const double* alpha, const double* a, int lda,
                   const double* b, int ldb, const double* beta, double* c, int ldc) {
  return gemm(ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}
int cublasSgemmStridedBatched(void*, int ta, int tb, int m, int n, int k, const float* alpha, const float* a, int lda,
                              long long sa, const float* b, int ldb, long long sb, const float* beta, float* c, int ldc,
                              long long sc, int count) {
  return batched(ta, tb, m, n, k, alpha, a, lda, sa, b, ldb, sb, beta, c, ldc, sc, count);
}
int cublasDgemmStridedBatched(void*, int ta, int tb, int m, int n, int k, const double* alpha, const double* a, int lda,
                              long long sa, const double* b, int ldb, long long sb, const double* beta, double* c,
                              int ldc, long long sc, int count) {
  return batched(ta, tb, m, n, k, alpha, a, lda, sa, b, ldb, sb, beta, c, ldc, sc, count);
}
// C = alpha op(A) + beta op(B); what has the factor 0 is not read
int cublasSgeam(void*, int ta, int tb, int m, int n, const float* alpha, const float* a, int lda, const float* beta,
                const float* b, int ldb, float* c, int ldc) {
  if (m < 0 || n < 0 || ldc < m) return INVALID_VALUE;
  for (int j = 0; j < n; ++j)
    for (int i = 0; i < m; ++i)
      c[i + size_t(j) * ldc] = (*alpha == 0.0f ? 0.0f : *alpha * element(a, ta, lda, i, j)) +
                               (*beta == 0.0f ? 0.0f : *beta * element(b, tb, ldb, i, j));
  return SUCCESS;
}
int cublasSsyrk_v2(void*, int uplo, int transposed, int n, int k, const float* alpha, const float* a, int lda,
                   const float* beta, float* c, int ldc) {
  return syrk(uplo, transposed, n, k, alpha, a, lda, beta, c, ldc);
}
int cublasDsyrk_v2(void*, int uplo, int transposed, int n, int k, const double* alpha, const double* a, int lda,
                   const double* beta, double* c, int ldc) {
  return syrk(uplo, transposed, n, k, alpha, a, lda, beta, c, ldc);
}

}  // extern "C"
