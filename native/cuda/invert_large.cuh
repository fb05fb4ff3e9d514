// Inverses of larger matrices: the sweep of sweep.cuh in blocks of 128 columns, all matrices in lock-step.
//
// For each pivot block: factor_kernel (L, and the rows -L^-T of z in the pivot block), panel_kernel (all other rows of
// z), then A - z z' on the lower triangle. Blocks are taken in pairs: after the first one only the tiles that the
// second one needs are updated (cross_kernel), after the second one all tiles for both (update_kernel), which halves
// the traffic. z lies column by column, as products want it; for tensor cores each block is written to planes once.
// Where products are on planes, the next diagonal block is updated first (corner_kernel), and factored while all others
// are updated: a factor takes long, but a single block of threads. Only lower tiles of the work matrix are used. A
// matrix that fails is left alone from then on, and its inverse is not written.
#pragma once
#include "mirror.cuh"
#include "plan.h"
#include "planes.cuh"
#include "product.cuh"
#include "sweep.cuh"
#include "tile.cuh"

namespace kfac {

constexpr int PIVOT = 128;

struct LargeJob {
  const float* matrix;
  float* inverse;
  int* status;
  const float* own_damping;  // null: damping
  float scale, damping;
  int n, blocks;     // blocks * PIVOT is n rounded up; the padding is an identity
  float* work;       // [blocks * PIVOT, blocks * PIVOT]
  float* z;          // [2 * PIVOT, blocks * PIVOT], a half for each block of a pair: its columns one after another
  Operand planes;    // of z, if products are on tensor cores
  double* diagonal;  // [blocks * PIVOT], of the work matrix, whose own is not used; see minus_square
  float* factor;     // [PIVOT, PIVOT], L with reciprocals on the diagonal, in its lower 4 x 4 blocks
  int* state;        // the status so far

  KFAC_BOTH long long pitch() const { return (long long)blocks * PIVOT; }
  __device__ float& at(long long i, long long j) const { return work[i * pitch() + j]; }
  __device__ float* z_row(long long i, int block) const { return z + block % 2 * PIVOT * pitch() + i; }
};

constexpr int LOAD_THREADS = 256;

// One lower tile of the work matrix.
__global__ void __launch_bounds__(LOAD_THREADS) load_kernel(Table<LargeJob> table) {
  long long tile;
  const LargeJob& job = table.find(blockIdx.x, tile);
  const int row = int(triangle_row(tile)), column = int(tile - triangle(row));
  const float damping = job.own_damping ? *job.own_damping : job.damping;
  bool all_finite = true;
  for (int e = threadIdx.x; e < PIVOT * PIVOT; e += LOAD_THREADS) {
    const int i = row * PIVOT + e / PIVOT, j = column * PIVOT + e % PIVOT;
    double v = i == j ? 1.0 : 0.0;
    if (i < job.n && j < job.n) {
      const float x = job.matrix[(long long)max(i, j) * job.n + min(i, j)];
      v = fma(double(job.scale), double(x), i == j ? double(damping) : 0.0);
      all_finite &= finite(float(v));
    }
    job.at(i, j) = float(v);
    if (i == j) job.diagonal[i] = v;
  }
  if (!__syncthreads_and(all_finite) && threadIdx.x == 0) *job.state = KFAC_MATRIX_NOT_FINITE;
}

// Four elements of a row of z.
__device__ __forceinline__ void put_z(float* row, long long pitch, int k, const Four<float>& z) {
  row += k * pitch;
  row[0] = z.x, row[pitch] = z.y, row[2 * pitch] = z.z, row[3 * pitch] = z.w;
}

// A block of the work matrix on its way to registers: read as it lies in memory, then by rows, without bank conflicts.
using Staged = float[PIVOT][PIVOT + 1];

// Of the block that begins at (row, column); by PIVOT threads.
__device__ __forceinline__ void stage(const LargeJob& job, long long row, long long column, Staged& staged) {
#pragma unroll 8
  for (int i = 0; i < PIVOT; ++i) staged[i][threadIdx.x] = job.at(row + i, column + threadIdx.x);
}

struct FactorShared {
  Four<float> pivot[4];
  union {
    Staged staged;
    Four<float> rows[2 * PIVOT];  // written a barrier after the last read of staged
  };
};

// Factors the diagonal block; for PIVOT threads. Not inlined, for then the update that holds it spills. Thread j holds
// column j: of what is left of A for j beyond the four pivots, of L^-1 (in the making) before them.
__device__ __noinline__ void factor(const LargeJob& job, int block, FactorShared& shared) {
  if (*job.state) return;
  const int j = threadIdx.x, first = block * PIVOT;
  stage(job, first, first, shared.staged);
  __syncthreads();
  float a[1][PIVOT];
#pragma unroll
  for (int i = 0; i < PIVOT; ++i) a[0][i] = shared.staged[max(i, j)][min(i, j)];
  double diagonal = job.diagonal[first + j];
  Four<float>* lower = reinterpret_cast<Four<float>*>(job.factor + j * PIVOT);
  float* z_row = job.z_row(first + j, block);

  int failed = 0;
  for (int k = 0; k < PIVOT; k += 4) {
    const bool mine = j / 4 * 4 == k, before = j < k;
    if (mine) put_pivot(shared.pivot, j % 4, {a[0][0], a[0][1], a[0][2], a[0][3]}, diagonal);
    __syncthreads();
    Lower4<float> l;
    const int bad = factor4(shared.pivot, l);
    if (bad && !failed) failed = first + k + bad;
    const Four<float> zero{};
    Four<float> z;
    if (mine) {
      z = solve4(l, unit4<float>(j % 4));
      diagonal = 0.0;
#pragma unroll
      for (int i = 4; i < PIVOT; ++i) a[0][i] = 0.0f;
      lower[k / 4] = j % 4 == 0   ? Four<float>{l.r0, 0.0f, 0.0f, 0.0f}
                     : j % 4 == 1 ? Four<float>{l.l10, l.r1, 0.0f, 0.0f}
                     : j % 4 == 2 ? Four<float>{l.l20, l.l21, l.r2, 0.0f}
                                  : Four<float>{l.l30, l.l31, l.l32, l.r3};
    } else {
      z = solve4(l, Four<float>{a[0][0], a[0][1], a[0][2], a[0][3]});
      if (!before) lower[k / 4] = z;
    }
    diagonal = minus_square(diagonal, z);
    const bool inverse = mine || before;
    put_z(z_row, job.pitch(), k, inverse ? negative(z) : zero);
    shared.rows[j] = inverse ? zero : z;  // rows that are done stay as they are
    shared.rows[j + PIVOT] = zero;
    __syncthreads();
    update_and_shift(a, shared.rows, k, {z});
  }
  job.diagonal[first + j] = diagonal;
  if (failed && j == 0) *job.state = failed;
}

__global__ void __launch_bounds__(PIVOT) factor_kernel(Table<LargeJob> table, int block) {
  KFAC_SHARED(FactorShared, shared);
  factor(table.jobs[blockIdx.x], block, shared);
}

union PanelShared {
  Peaks<PIVOT> planes;
  Staged staged;
  Four<float> lower[PIVOT + 28][PIVOT / 4];  // the rows past the end are zero
};

// z = L^-1 p for one row p, and diagonal - z . z; eight steps of four columns at a time with LEFT of them still to do.
template <int LEFT>
__device__ void solve_row(const PanelShared& shared, float (&p)[LEFT], float* z_row, long long pitch,
                          double& diagonal) {
  for (int step = 0; step < 8; ++step) {
    const int k = PIVOT - LEFT + 4 * step;
    const Four<float> row1 = shared.lower[k + 1][k / 4], row2 = shared.lower[k + 2][k / 4],
                      row3 = shared.lower[k + 3][k / 4];
    const Lower4<float> l{
        shared.lower[k][k / 4].x, row1.x, row1.y, row2.x, row2.y, row2.z, row3.x, row3.y, row3.z, row3.w};
    const Four<float> z = solve4(l, Four<float>{p[0], p[1], p[2], p[3]});
    diagonal = minus_square(diagonal, z);
    put_z(z_row, pitch, k, z);
#pragma unroll
    for (int i = 4; i < LEFT; ++i) p[i - 4] = minus_dot(p[i], shared.lower[k + i][k / 4], z);
  }
  if constexpr (LEFT > 32) {
    float rest[LEFT - 32];
#pragma unroll
    for (int i = 0; i < LEFT - 32; ++i) rest[i] = p[i];
    solve_row<LEFT - 32>(shared, rest, z_row, pitch, diagonal);
  }
}

// A block of rows of z; a thread has one row. Those of the pivot block are the factor's.
__device__ __forceinline__ void solve_rows(const LargeJob& job, int block, long long begin, PanelShared& shared) {
  const long long first = (long long)block * PIVOT, row = begin + threadIdx.x;
  float p[PIVOT];
  if (begin > first) {
    stage(job, begin, first, shared.staged);
    __syncthreads();
#pragma unroll
    for (int u = 0; u < PIVOT; ++u) p[u] = shared.staged[threadIdx.x][u];
    __syncthreads();
  } else {  // the transpose
#pragma unroll
    for (int u = 0; u < PIVOT; ++u) p[u] = job.at(first + u, row);
  }
  for (int e = threadIdx.x; e < (PIVOT + 28) * PIVOT / 4; e += PIVOT) {
    const int i = e / (PIVOT / 4), j = e % (PIVOT / 4);
    shared.lower[i][j] = i < PIVOT && j <= i / 4 ? reinterpret_cast<const Four<float>*>(job.factor)[e] : Four<float>{};
  }
  __syncthreads();
  double diagonal = job.diagonal[row];
  solve_row<PIVOT>(shared, p, job.z_row(row, block), job.pitch(), diagonal);
  job.diagonal[row] = diagonal;
}

// One block of rows, and, if planes has a job for each of table, their planes.
template <bool PLANES>
__global__ void __launch_bounds__(PIVOT, 2) panel_kernel(Table<LargeJob> table, Table<PlanesJob> planes, int block) {
  KFAC_SHARED(PanelShared, shared);
  long long part;
  const LargeJob& entry = table.find(blockIdx.x, part);
  const LargeJob job = entry;
  if (*job.state) return;
  if (part != block) solve_rows(job, block, part * PIVOT, shared);
  if constexpr (PLANES) {
    __syncthreads();  // all rows are there
    write_planes<float, Reads::CHANNELS, PIVOT, PIVOT>(planes.jobs[&entry - table.jobs], part, shared.planes);
  }
}

struct ZRows {
  static constexpr bool ALONG_DEPTH = false;
  const float* z;
  long long pitch;
  __device__ float operator()(int row, int k, long long first) const { return z[(first + k) * pitch + row]; }
};

// What forms z z' from elements first .. first + depth - 1 of rows of z: on planes, or in plain fp32. each gives all
// elements of a thread, to be read or written.
template <class P>
struct Update {
  using Shared = TileShared<P>;
  Tile<P> sums;

  template <class Visit>
  __device__ void each(const Visit& visit) {
    P::each([&](int s, int r, int c) { visit(sums.total[s], r, c); });
  }
  __device__ void add(const LargeJob& job, long long row, long long column, int first, int depth, Shared& shared) {
    const float* z = job.z + first * job.pitch();
    sums.sum(shared, depth, row == column, ZRows{z + row, job.pitch()}, ZRows{z + column, job.pitch()},
             NoPreparation());
  }
};

using OnPlanes = Tiling<SplitHalves, 128, 1, 16, PIVOT>;

template <>
struct Update<OnPlanes> {
  using Shared = ProductShared<OnPlanes>;
  OnPlanes::Sums sums = {};

  template <class Visit>
  __device__ void each(const Visit& visit) {
    OnPlanes::each(sums, visit);
  }
  __device__ void add(const LargeJob& job, long long row, long long column, int first, int depth, Shared& shared) {
    const Columns columns = Columns::plain(int(job.pitch()));
    product<OnPlanes, Plain>(Tokens::plain(2 * PIVOT), {job.planes, columns, int(row / OnPlanes::SIDE)},
                             {job.planes, columns, int(column / OnPlanes::SIDE)}, first, first + depth, row == column,
                             shared, sums);
  }
};

// A - z z' on one tile; fresh: A counts as 0. The sum starts from -A: its rounding errors are then relative to what is
// left of A.
template <class P>
__device__ __forceinline__ void update_tile(const LargeJob& job, long long row, long long column, bool fresh, int first,
                                            int depth) {
  KFAC_SHARED(typename Update<P>::Shared, shared);
  Update<P> update;
  update.each([&](float& sum, int r, int c) {
    if (!fresh) sum = -job.at(row + r, column + c);
  });
  update.add(job, row, column, first, depth, shared);
  update.each([&](float& sum, int r, int c) { job.at(row + r, column + c) = -sum; });
}

// After block, the first of a pair: one tile of the rows and columns of block + 1.
template <class P>
__global__ void __launch_bounds__(P::THREADS, 1) cross_kernel(Table<LargeJob> table, int block) {
  constexpr int SPLIT = PIVOT / P::SIDE;
  long long local;
  const LargeJob job = table.find(blockIdx.x, local);
  if (*job.state) return;
  const int other = int(local / (SPLIT * SPLIT)), part = int(local % (SPLIT * SPLIT));
  const long long row = (long long)max(other, block + 1) * PIVOT + part / SPLIT * P::SIDE;
  const long long column = (long long)min(other, block + 1) * PIVOT + part % SPLIT * P::SIDE;
  update_tile<P>(job, row, column, other == block, 0, PIVOT);
}

// After the pair block, block + 1, the tile that begins at (row, column). What the first block left in the rows and
// columns of the second is in the second half of z already.
template <class P>
__device__ __forceinline__ void update_for_pair(const LargeJob& job, long long row, long long column, int block) {
  const bool first = row / PIVOT == block || column / PIVOT == block;
  const bool second = row / PIVOT == block + 1 || column / PIVOT == block + 1;
  const int from = second ? PIVOT : 0, to = block + 1 < job.blocks ? 2 * PIVOT : PIVOT;
  update_tile<P>(job, row, column, first || second, from, to - from);
}

// Of the pair that follows, the first diagonal block.
__global__ void __launch_bounds__(OnPlanes::THREADS, 1) corner_kernel(Table<LargeJob> table, int block) {
  static_assert(OnPlanes::SIDE == PIVOT);
  const LargeJob job = table.jobs[blockIdx.x];
  if (*job.state) return;
  const long long next = (block + 2LL) * PIVOT;
  update_for_pair<OnPlanes>(job, next, next, block);
}

union UpdateAndFactorShared {
  typename Update<OnPlanes>::Shared update;
  FactorShared factor;
};

// One lower tile; in the first blocks of threads the factors of so many matrices, whose corner is up to date. What
// factors write no update reads, but for the state, which then has failed.
template <class P>
__global__ void __launch_bounds__(P::THREADS, 1) update_kernel(Table<LargeJob> table, int block, int factors) {
  if (int(blockIdx.x) >= factors) {
    long long tile;
    const LargeJob job = table.find(blockIdx.x - factors, tile);
    if (*job.state) return;
    const long long row = triangle_row(tile), column = tile - triangle(row);
    if (factors && row == column && row == block + 2) return;  // the corner
    update_for_pair<P>(job, row * P::SIDE, column * P::SIDE, block);
  } else if constexpr (std::is_same_v<P, OnPlanes>) {
    KFAC_SHARED(UpdateAndFactorShared, shared);
    if (threadIdx.x < PIVOT) factor(table.jobs[blockIdx.x], block + 2, shared.factor);
  }
}

__global__ void store_kernel(Table<LargeJob> table) {
  KFAC_SHARED(MirrorShared, shared);
  long long local;
  const LargeJob job = table.find(blockIdx.x, local);
  const int state = *job.state;
  if (local == 0 && threadIdx.x == 0 && threadIdx.y == 0) *job.status = state;
  if (state) return;
  mirror(
      shared, local, job.n, [&](int i, int j) { return -(i == j ? float(job.diagonal[i]) : job.at(i, j)); },
      [&](int i, int j, float v) { job.inverse[(long long)i * job.n + j] = v; });
}

}  // namespace kfac
