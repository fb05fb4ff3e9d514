// How far inverses are from inverses: an estimate of |X M - I|_2 without forming the product.
//
// 0.4 u tr(M) tr(X) was never exceeded by the error of a rounded inverse, but may be far too large. Where it is above
// the bound, X (M z) - z is formed in fp64 for a few vectors of random signs z. The worst one counts: an error lives on
// few directions, which a vector may miss.
#include <limits>
#include "plan.h"
#include "reduce.cuh"
#include "verbs.h"

namespace kfac {
namespace {

constexpr int VECTORS = 4, WARPS = 8, ROWS = 32;  // ROWS of a block
constexpr double ROUNDING = 1.0 / (1 << 24), INFINITE = std::numeric_limits<double>::infinity();

struct Job {
  kfac_inverse_error_request request;
  double* products;  // [count, n, VECTORS]: M z
  double* parts;     // [count, bands, VECTORS]
  int bands;

  __device__ double damping(long long matrix) const {
    return request.dampings ? request.dampings[matrix] : request.damping;
  }
  __device__ bool tested(long long matrix) const {
    return request.status[matrix] == KFAC_MATRIX_OK && !(request.errors[matrix] <= request.bound);
  }
};

// Element j of vector v is negative if bit v is set.
__device__ __forceinline__ unsigned signs(unsigned j) {
  unsigned x = (j + 1u) * 2654435769u;
  x = (x ^ x >> 15) * 2246822519u;
  return x ^ x >> 13;
}
__device__ __forceinline__ double with_sign(double x, unsigned signs, int vector) {
  return signs >> vector & 1u ? -x : x;
}

__global__ void __launch_bounds__(SUM_THREADS) bound_kernel(Table<Job> table) {
  KFAC_SHARED(SumShared, shared);
  long long matrix;
  const Job& job = table.find(blockIdx.x, matrix);
  const kfac_inverse_error_request& q = job.request;
  if (q.status[matrix] != KFAC_MATRIX_OK) return;
  const long long first = matrix * q.n * q.n;
  double before = 0.0, after = 0.0;
  bool positive = true;
  for (long long i = threadIdx.x; i < q.n; i += SUM_THREADS) {
    const double x = q.inverse[first + i * (q.n + 1LL)];
    before += double(q.scale) * q.matrix[first + i * (q.n + 1LL)] + job.damping(matrix);
    after += x;
    positive = positive && x > 0.0;
  }
  before = block_sum(before, shared.partial);
  positive = __syncthreads_and(positive);
  after = block_sum(after, shared.partial);
  if (threadIdx.x == 0) q.errors[matrix] = positive ? 0.4 * ROUNDING * before * after : INFINITE;
}

// Row i of a matrix times the vectors: element(j) [v] gives the summands. The sums are those of all lanes.
template <class Add>
__device__ void row_sums(int n, double (&sum)[VECTORS], const Add& add) {
#pragma unroll
  for (int v = 0; v < VECTORS; ++v) sum[v] = 0.0;
  for (int j = threadIdx.x % 32; j < n; j += 32) add(j);
#pragma unroll
  for (int with = 16; with > 0; with /= 2)
#pragma unroll
    for (int v = 0; v < VECTORS; ++v) sum[v] += __shfl_xor_sync(~0u, sum[v], with);
}

__global__ void __launch_bounds__(32 * WARPS) product_kernel(Table<Job> table) {
  long long local;
  const Job& job = table.find(blockIdx.x, local);
  const kfac_inverse_error_request& q = job.request;
  const long long matrix = local / job.bands;
  if (!job.tested(matrix)) return;
  const int first = int(local % job.bands) * ROWS, end = min(first + ROWS, q.n);
  for (int i = first + threadIdx.x / 32; i < end; i += WARPS) {
    const float* row = q.matrix + (matrix * q.n + i) * q.n;
    double sum[VECTORS];
    row_sums(q.n, sum, [&](int j) {
      const double x = row[j];
      const unsigned s = signs(j);
#pragma unroll
      for (int v = 0; v < VECTORS; ++v) sum[v] += with_sign(x, s, v);
    });
    if (threadIdx.x % 32 != 0) continue;
    double* to = job.products + (matrix * q.n + i) * VECTORS;
    const unsigned s = signs(i);
#pragma unroll
    for (int v = 0; v < VECTORS; ++v) to[v] = q.scale * sum[v] + with_sign(job.damping(matrix), s, v);
  }
}

struct ResidualShared {
  double squares[WARPS][VECTORS];
};

__global__ void __launch_bounds__(32 * WARPS) residual_kernel(Table<Job> table) {
  KFAC_SHARED(ResidualShared, shared);
  long long local;
  const Job& job = table.find(blockIdx.x, local);
  const kfac_inverse_error_request& q = job.request;
  const long long matrix = local / job.bands;
  if (!job.tested(matrix)) return;
  const int first = int(local % job.bands) * ROWS, end = min(first + ROWS, q.n), warp = threadIdx.x / 32;
  const double* product = job.products + matrix * q.n * VECTORS;
  double squares[VECTORS] = {};
  for (int i = first + warp; i < end; i += WARPS) {
    const float* row = q.inverse + (matrix * q.n + i) * q.n;
    double sum[VECTORS];
    row_sums(q.n, sum, [&](int j) {
      const double x = row[j];
#pragma unroll
      for (int v = 0; v < VECTORS; ++v) sum[v] += x * product[(long long)j * VECTORS + v];
    });
    const unsigned s = signs(i);
#pragma unroll
    for (int v = 0; v < VECTORS; ++v) {
      const double residual = sum[v] - with_sign(1.0, s, v);
      squares[v] += residual * residual;
    }
  }
#pragma unroll
  for (int v = 0; v < VECTORS; ++v)
    if (threadIdx.x % 32 == 0) shared.squares[warp][v] = squares[v];
  __syncthreads();
  if (threadIdx.x >= VECTORS) return;
  double sum = 0.0;
  for (int w = 0; w < WARPS; ++w) sum += shared.squares[w][threadIdx.x];
  job.parts[local * VECTORS + threadIdx.x] = sum;
}

constexpr int VERDICT_THREADS = 128;

__global__ void __launch_bounds__(VERDICT_THREADS) verdict_kernel(Table<Job> table) {
  long long local;
  const Job& job = table.find(blockIdx.x, local);
  const kfac_inverse_error_request& q = job.request;
  const long long matrix = local * VERDICT_THREADS + threadIdx.x;
  if (matrix >= q.count || !job.tested(matrix)) return;
  double largest = 0.0, all = 0.0;
  for (int v = 0; v < VECTORS; ++v) {
    double sum = 0.0;
    for (int b = 0; b < job.bands; ++b) sum += job.parts[(matrix * job.bands + b) * VECTORS + v];
    largest = max(largest, sum);
    all += sum;
  }
  const double error = all < INFINITE ? sqrt(largest) : INFINITE;  // not a number is not less
  q.errors[matrix] = error;
  if (error > q.bound / 2) q.status[matrix] = error < INFINITE ? KFAC_MATRIX_INACCURATE : KFAC_MATRIX_NOT_FINITE;
}

}  // namespace

void inverse_error(const kfac_inverse_error_request* requests, int count, Plan& plan) {
  Batch<Job> matrices, bands, verdicts;
  for (int i = 0; i < count; ++i) {
    const kfac_inverse_error_request& q = requests[i];
    const int per_matrix = (q.n + ROWS - 1) / ROWS;
    const Job job{q, plan.take<double>((long long)q.count * q.n * VECTORS),
                  plan.take<double>((long long)q.count * per_matrix * VECTORS), per_matrix};
    matrices.add(job, q.count);
    bands.add(job, (long long)q.count * per_matrix);
    verdicts.add(job, (q.count + VERDICT_THREADS - 1LL) / VERDICT_THREADS);
  }
  plan.launch(bound_kernel, matrices, SUM_THREADS, sizeof(SumShared));
  plan.launch(product_kernel, bands, 32 * WARPS, 0);
  plan.launch(residual_kernel, bands, 32 * WARPS, sizeof(ResidualShared));
  plan.launch(verdict_kernel, verdicts, VERDICT_THREADS, 0);
}

}  // namespace kfac
