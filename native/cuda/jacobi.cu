// Eigendecompositions of small matrices by cyclic Jacobi rotations in fp64, a block for each matrix, all in shared
// memory. In each round every row takes part in one rotation (the pairs are those of a round-robin tournament), and
// after as many rounds as there are opponents each element has been rotated away once.
#include "elements.cuh"
#include "reduce.cuh"
#include "sweep.cuh"
#include "verbs.h"

namespace kfac {
namespace {

constexpr int MAX_SWEEPS = 30;  // usual are 6 to 10

template <int N>
struct JacobiShared {
  double a[N][N + 1];  // the lower triangle
  double v[N][N + 1];  // a row for each eigenvector
  double c[N / 2], s[N / 2];
  int low[N / 2], high[N / 2];  // the rows of a pair
  int rank[N];
  double negligible;
  SumShared sum;

  __device__ double& at(int i, int j) { return a[max(i, j)][min(i, j)]; }
};

// Rotation k of a round among so many rows; whether there is anything to rotate away.
template <int N>
__device__ __forceinline__ bool find_rotation(JacobiShared<N>& shared, int k, int round, int rows) {
  const int others = rows - 1, first = k == 0 ? others : (round + k) % others,
            second = k == 0 ? round : (round + others - k) % others, p = min(first, second), q = max(first, second);
  const double off = shared.a[q][p];
  const bool rotates = fabs(off) > shared.negligible;
  double c = 1.0, s = 0.0;
  if (rotates) {
    const double tau = (shared.a[q][q] - shared.a[p][p]) / (2.0 * off);
    const double t = (tau < 0.0 ? -1.0 : 1.0) / (fabs(tau) + sqrt(fma(tau, tau, 1.0)));
    c = reciprocal_root(fma(t, t, 1.0));
    s = t * c;
    shared.a[p][p] = fma(-t, off, shared.a[p][p]);
    shared.a[q][q] = fma(t, off, shared.a[q][q]);
    shared.a[q][p] = 0.0;
  }
  shared.c[k] = c, shared.s[k] = s;
  shared.low[k] = p, shared.high[k] = q;
  return rotates;
}

__device__ __forceinline__ void rotate(double c, double s, double& x, double& y) {
  const double old = x;
  x = fma(c, old, -s * y);
  y = fma(s, old, c * y);
}

// The four elements that rotations k and l share.
template <int N>
__device__ __forceinline__ void rotate_elements(JacobiShared<N>& shared, int k, int l) {
  if (shared.s[k] == 0.0 && shared.s[l] == 0.0) return;
  double& pp = shared.at(shared.low[k], shared.low[l]);
  double& pq = shared.at(shared.low[k], shared.high[l]);
  double& qp = shared.at(shared.high[k], shared.low[l]);
  double& qq = shared.at(shared.high[k], shared.high[l]);
  double x[2][2] = {{pp, pq}, {qp, qq}};
  for (int i = 0; i < 2; ++i) rotate(shared.c[l], shared.s[l], x[i][0], x[i][1]);
  for (int j = 0; j < 2; ++j) rotate(shared.c[k], shared.s[k], x[0][j], x[1][j]);
  pp = x[0][0], pq = x[0][1], qp = x[1][0], qq = x[1][1];
}

template <int N>
__global__ void __launch_bounds__(SUM_THREADS, 3) jacobi_kernel(Table<kfac_jacobi_request> table) {
  KFAC_SHARED(JacobiShared<N>, shared);
  long long matrix;
  const kfac_jacobi_request q = table.find(blockIdx.x, matrix);
  if (q.status[matrix] != KFAC_MATRIX_OK) return;
  const int n = q.n, rows = n + n % 2, pairs = rows / 2, thread = threadIdx.x, warp = thread / 32, lane = thread % 32;
  constexpr int WARPS = SUM_THREADS / 32;
  const double* source = q.matrix + matrix * n * n;

  double squares = 0.0;
  for (int i = warp; i < rows; i += WARPS)  // an odd one has a row of zeros for company
    for (int j = lane; j < rows; j += 32) {
      const double x = i < n && j <= i ? source[i * n + j] : 0.0;
      shared.a[i][j] = x;
      shared.v[i][j] = i == j ? 1.0 : 0.0;
      squares = fma(i == j ? x : 2.0 * x, x, squares);
    }
  // What is left of all elements off the diagonal is then less than 2^-53 |A|, in the Frobenius norm.
  squares = block_sum(squares, shared.sum.partial);
  if (thread == 0) shared.negligible = 0x1p-53 / n * sqrt(squares);

  bool rotated = true;
  for (int sweep = 0; rotated && sweep < MAX_SWEEPS; ++sweep) {
    rotated = false;
    for (int round = 0; round < rows - 1; ++round) {
      __syncthreads();
      if (thread < pairs) rotated |= find_rotation(shared, thread, round, rows);
      __syncthreads();
      for (int k = warp; k < pairs; k += WARPS) {
        for (int l = lane; l < k; l += 32) rotate_elements(shared, k, l);
        if (shared.s[k] == 0.0) continue;
        for (int j = lane; j < n; j += 32)
          rotate(shared.c[k], shared.s[k], shared.v[shared.low[k]][j], shared.v[shared.high[k]][j]);
      }
    }
    rotated = !__syncthreads_and(!rotated);
  }

  if (thread < n) {
    const double value = shared.a[thread][thread];
    int rank = 0;
    for (int j = 0; j < n; ++j) rank += shared.a[j][j] < value || (shared.a[j][j] == value && j < thread);
    shared.rank[thread] = rank;
    q.values[matrix * n + rank] = value;
  }
  if (thread == 0) q.infos[matrix] = rotated;
  __syncthreads();
  for (int row = warp; row < n; row += WARPS)
    for (int j = lane; j < n; j += 32) q.vectors[(matrix * n + shared.rank[row]) * n + j] = shared.v[row][j];
}

template <int N>
void launch(const kfac_jacobi_request* requests, int count, int above, Plan& plan) {
  launch_requests(jacobi_kernel<N>, requests, count, SUM_THREADS, sizeof(JacobiShared<N>), plan,
                  [=](const auto& q) { return q.n > above && q.n <= N ? (long long)q.count : 0LL; });
}

}  // namespace

void jacobi(const kfac_jacobi_request* requests, int count, Plan& plan) {
  launch<64>(requests, count, 32, plan);
  launch<32>(requests, count, 0, plan);
}

}  // namespace kfac
