// Inverses of matrices up to 128 x 128, many in one launch, each in the registers of one warp (N <= 64) or block; up to
// 32 x 32 in fp64, since the error of so small an inverse in fp32 is a matter of luck.
#pragma once
#include "plan.h"
#include "sweep.cuh"

namespace kfac {

// A team of THREADS threads inverts one matrix; thread t holds the columns t, t + THREADS, ...
template <class T_, int N_>
struct SmallTeam {
  using T = T_;
  static constexpr int N = N_, COLUMNS = N == 64 ? 2 : 1, THREADS = N / COLUMNS;
  static constexpr int TEAMS = THREADS == 32 ? 4 : 1;  // teams in a block
  static constexpr int RESIDENT = N == 32 ? 4 : 2;     // blocks of a multiprocessor; for more, nvcc spills

  struct Shared {
    Four<T> pivot[4];     // columns of the pivot block
    Four<T> rows[2 * N];  // z of each row, twice: the elements of a column are kept rotated
  };
  using AllShared = Shared[TEAMS];

  __device__ static void sync() {
    if (THREADS == 32) __syncwarp();
    else __syncthreads();
  }
  __device__ static bool all(bool vote) { return THREADS == 32 ? __all_sync(~0u, vote) : __syncthreads_and(vote); }
};

template <class Team>
__global__ void __launch_bounds__(Team::THREADS* Team::TEAMS, Team::RESIDENT)
    invert_small_kernel(Table<kfac_invert_request> table) {
  using T = typename Team::T;
  constexpr int N = Team::N, COLUMNS = Team::COLUMNS, THREADS = Team::THREADS;
  using AllShared = typename Team::AllShared;
  KFAC_SHARED(AllShared, all);
  long long local;
  const kfac_invert_request job = table.find(blockIdx.x, local);
  const int team = threadIdx.x / THREADS, thread = threadIdx.x % THREADS, n = job.n;
  const long long matrix = local * Team::TEAMS + team;
  if (matrix >= job.count) return;  // a whole warp, where a block has several teams
  typename Team::Shared& shared = all[team];
  const float* source = job.matrix + matrix * n * n;
  const float damping = job.dampings ? job.dampings[matrix] : job.damping;

  T a[COLUMNS][N];
  double diagonal[COLUMNS] = {};  // see minus_square
  bool all_finite = true;
#pragma unroll
  for (int i = 0; i < N; ++i) {
#pragma unroll
    for (int c = 0; c < COLUMNS; ++c) {
      const int j = c * THREADS + thread;
      T v = T(i == j);
      if (i < n && j < n) {
        v = multiply_add(T(job.scale), T(source[j]), i == j ? T(damping) : T(0));
        all_finite &= finite(float(v));
      }
      if (i == j) diagonal[c] = i < n ? fma(double(job.scale), double(source[j]), double(damping)) : 1.0;
      a[c][i] = v;
    }
    source += n;
  }
  all_finite = Team::all(all_finite);

  int failed = 0;
  for (int k = 0; k < N; k += 4) {
#pragma unroll
    for (int c = 0; c < COLUMNS; ++c) {
      const int j = c * THREADS + thread;
      if (j / 4 * 4 == k) put_pivot(shared.pivot, j % 4, {a[c][0], a[c][1], a[c][2], a[c][3]}, diagonal[c]);
    }
    Team::sync();
    Lower4<T> l;
    const int bad = factor4(shared.pivot, l);
    if (bad && !failed) failed = k + bad;
    Four<T> z[COLUMNS];
#pragma unroll
    for (int c = 0; c < COLUMNS; ++c) {
      const int j = c * THREADS + thread;
      if (j / 4 * 4 == k) {
        z[c] = negative(solve4(l, unit4<T>(j % 4)));
        diagonal[c] = 0.0;
#pragma unroll
        for (int i = 4; i < N; ++i) a[c][i] = 0.0f;
      } else {
        z[c] = solve4(l, Four<T>{a[c][0], a[c][1], a[c][2], a[c][3]});
      }
      diagonal[c] = minus_square(diagonal[c], z[c]);
      shared.rows[j] = z[c];
      shared.rows[j + N] = z[c];
    }
    Team::sync();
    update_and_shift(a, shared.rows, k, z);
#pragma unroll
    for (int c = 0; c < COLUMNS; ++c)
#pragma unroll
      for (int i = 0; i < 4; ++i) a[c][N - 4 + i] = minus_dot(T(0), shared.rows[k + i], z[c]);
  }

  const int status = all_finite ? failed : KFAC_MATRIX_NOT_FINITE;
  if (thread == 0) job.status[matrix] = status;
  if (status) return;
  const int pitch = opaque(n);
  float* inverse = job.inverse + matrix * n * n;
#pragma unroll
  for (int i = 0; i < N; ++i) {
#pragma unroll
    for (int c = 0; c < COLUMNS; ++c) {
      const int j = c * THREADS + thread;
      if (i < n && j < n) inverse[j] = -float(i == j ? diagonal[c] : a[c][i]);
    }
    inverse += pitch;
  }
}

}  // namespace kfac
