// Inverses of matrices of up to 64 or 128 rows in fp32, many in one launch: only the lower triangle is held and
// updated, spread over the registers of a warp (N = 64) or a block (N = 128).
#pragma once
#include "plan.h"
#include "sweep.cuh"

namespace kfac {

// Thread (r, c) of a team holds the elements (r + ROWS i, c + COLUMNS j), for i < 8 and j < 16, of the tiles that reach
// below the diagonal: j < 2 (i + 1), since ROWS is twice COLUMNS.
template <int N_>
struct TiledTeam {
  static constexpr int N = N_, ROWS = N / 8, COLUMNS = N / 16, THREADS = ROWS * COLUMNS;
  static constexpr int TEAMS = 128 / THREADS;  // in a block
  static constexpr int OWN = N / THREADS;      // rows of z that a thread finds

  struct Shared {
    Four<float> panel[N];  // the pivot columns of each row
    Four<float> z[N];
  };
  using AllShared = Shared[TEAMS];

  __device__ static void sync() {
    if (THREADS == 32) __syncwarp();
    else __syncthreads();
  }
  __device__ static bool all(bool vote) { return THREADS == 32 ? __all_sync(~0u, vote) : __syncthreads_and(vote); }

  // Calls visit(i, j) for the tiles.
  template <class Visit>
  __device__ __forceinline__ static void each(const Visit& visit) {
#pragma unroll
    for (int j = 0; j < 16; ++j)
#pragma unroll
      for (int i = j / 2; i < 8; ++i) visit(i, j);
  }
};

// Publishes what is left of the pivot columns k .. k + 3, all of them in tiles j and rows j / 2, and clears them. The
// diagonal is not its.
template <class Team, int J>
__device__ __forceinline__ void take_panel(float (&a)[8][16], Four<float> (&panel)[Team::N], int r, int c, int k) {
  constexpr int I = J / 2;
  const int column = c - k % Team::COLUMNS, row = r - k % Team::ROWS;  // in the pivot block, if 0 to 3
  if (column >= 0 && column < 4) {
#pragma unroll
    for (int i = I; i < 8; ++i) {
      const int at = r + Team::ROWS * i;
      if (at >= k && at != k + column) reinterpret_cast<float*>(&panel[at])[column] = a[i][J];
      a[i][J] = 0.0f;
    }
  }
  if (row >= 0 && row < 4) {
#pragma unroll
    for (int j = 0; j < 2 * (I + 1); ++j) {
      const int at = c + Team::COLUMNS * j;
      if (at < k) reinterpret_cast<float*>(&panel[at])[row] = a[I][j];
      a[I][j] = 0.0f;
    }
  }
}
// The same for the J, of so many from FIRST on, that the pivot is in.
template <class Team, int FIRST, int COUNT>
__device__ __forceinline__ void find_panel(float (&a)[8][16], Four<float> (&panel)[Team::N], int r, int c, int k) {
  if constexpr (COUNT == 1) take_panel<Team, FIRST>(a, panel, r, c, k);
  else if (k < (FIRST + COUNT / 2) * Team::COLUMNS) find_panel<Team, FIRST, COUNT / 2>(a, panel, r, c, k);
  else find_panel<Team, FIRST + COUNT / 2, COUNT / 2>(a, panel, r, c, k);
}

template <class Team>
__global__ void __launch_bounds__(Team::THREADS* Team::TEAMS, 3) invert_tiled_kernel(Table<kfac_invert_request> table) {
  constexpr int ROWS = Team::ROWS, COLUMNS = Team::COLUMNS, THREADS = Team::THREADS, OWN = Team::OWN;
  using AllShared = typename Team::AllShared;
  KFAC_SHARED(AllShared, all);
  long long local;
  const kfac_invert_request job = table.find(blockIdx.x, local);
  const int team = threadIdx.x / THREADS, thread = threadIdx.x % THREADS, n = job.n;
  const int r = thread / COLUMNS, c = thread % COLUMNS;
  const long long matrix = local * Team::TEAMS + team;
  if (matrix >= job.count) return;  // a whole warp, where a block has several teams
  typename Team::Shared& shared = all[team];
  const float* source = job.matrix + matrix * n * n;
  const float damping = job.dampings ? job.dampings[matrix] : job.damping;

  float a[8][16];
  double diagonal[OWN];  // see minus_square
  bool all_finite = true;
  Team::each([&](int i, int j) {
    const int row = r + ROWS * i, column = c + COLUMNS * j;
    float v = 0.0f;
    if (row < n && column < n) {  // read across: rows of a tile then share sectors
      v = job.scale * source[column * n + row];
      all_finite &= finite(v);
    }
    a[i][j] = v;
  });
#pragma unroll
  for (int o = 0; o < OWN; ++o) {
    const int row = thread + THREADS * o;
    diagonal[o] = 1.0;
    if (row < n) diagonal[o] = fma(double(job.scale), double(source[row * (n + 1)]), double(damping));
    all_finite &= finite(float(diagonal[o]));
  }
  all_finite = Team::all(all_finite);

  int failed = 0;
  for (int k = 0; k < n; k += 4) {
    find_panel<Team, 0, 16>(a, shared.panel, r, c, k);
#pragma unroll
    for (int o = 0; o < OWN; ++o) {
      const int row = thread + THREADS * o;
      if (row / 4 * 4 == k) reinterpret_cast<float*>(&shared.panel[row])[row - k] = float(diagonal[o]);
    }
    Team::sync();
    Lower4<float> l;
    const Four<float> pivot[4] = {shared.panel[k], shared.panel[k + 1], shared.panel[k + 2], shared.panel[k + 3]};
    const int bad = factor4(pivot, l);
    if (bad && !failed) failed = k + bad;
#pragma unroll
    for (int o = 0; o < OWN; ++o) {
      const int row = thread + THREADS * o;
      const bool mine = row / 4 * 4 == k;
      const Four<float> z = mine ? negative(solve4(l, unit4<float>(row - k))) : solve4(l, shared.panel[row]);
      diagonal[o] = minus_square(mine ? 0.0 : diagonal[o], z);
      shared.z[row] = z;
    }
    Team::sync();
    Four<float> rows[8];
#pragma unroll
    for (int i = 0; i < 8; ++i) rows[i] = shared.z[r + ROWS * i];
#pragma unroll
    for (int j = 0; j < 16; ++j) {
      const Four<float> column = shared.z[c + COLUMNS * j];
#pragma unroll
      for (int i = j / 2; i < 8; ++i) a[i][j] = minus_dot(a[i][j], rows[i], column);
    }
  }

  const int status = all_finite ? failed : KFAC_MATRIX_NOT_FINITE;
  if (thread == 0) job.status[matrix] = status;
  if (status) return;
  float* inverse = job.inverse + matrix * n * n;
  Team::each([&](int i, int j) {
    const int row = r + ROWS * i, column = c + COLUMNS * j;
    if (row < n && column < row) inverse[row * n + column] = inverse[column * n + row] = -a[i][j];
  });
#pragma unroll
  for (int o = 0; o < OWN; ++o) {
    const int row = thread + THREADS * o;
    if (row < n) inverse[row * (n + 1)] = -float(diagonal[o]);
  }
}

}  // namespace kfac
