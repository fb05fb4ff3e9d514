// Sums over samples that are gathered while a tile is computed: in fp64 for few of them, in plain fp32 where a caller
// wants that or planes would take too much memory.
#pragma once
#include "gather.cuh"
#include "moment.cuh"
#include "plan.h"
#include "tile.cuh"
#include "tile_ffma.cuh"
#include "tile_fp64.cuh"

namespace kfac {
namespace {

struct GatheredJob {
  View view;
  const void* data;
  Sums sums;  // their order, if it is not plain: neighbours are neighbours in NHWC
  long long chunk_rows;
};

template <class P>
struct Shared {
  TileShared<P> tile;
  Row rows[P::DEPTH];
  Column columns[2][P::SIDE];
  int natural[2][P::SIDE];  // -1: no column of the matrix
};

template <class T, bool ALONG>
struct Source {
  static constexpr bool ALONG_DEPTH = ALONG;
  const View& view;
  const T* data;
  const Row* rows;
  const Column* columns;
  __device__ float operator()(int column, int k, long long) const {
    return gather(view, data, rows[k], columns[column]);
  }
};

template <class P, class T, bool ALONG>
__global__ void __launch_bounds__(P::THREADS, 1) gathered_kernel(Table<GatheredJob> table) {
  KFAC_SHARED(Shared<P>, shared);
  long long local;
  const GatheredJob& job = table.find(blockIdx.x, local);
  const View view = job.view;
  const int tile = int(local % job.sums.tiles), group = int(local / job.sums.tiles % job.sums.groups);
  const long long chunk = local / job.sums.tiles / job.sums.groups;
  const int tile_row = int(triangle_row(tile)), tile_column = int(tile - triangle(tile_row));
  const long long first = chunk * job.chunk_rows;
  const long long depth = min(job.chunk_rows, view.rows - first);

  for (int t = threadIdx.x; t < 2 * P::SIDE; t += P::THREADS) {
    const int side = t / P::SIDE, at = t % P::SIDE, j = (side ? tile_column : tile_row) * P::SIDE + at;
    shared.columns[side][at] = view.column(group, j, job.sums.order.width != 0);
    shared.natural[side][at] = j < view.columns ? job.sums.order.natural(j) : -1;
  }
  auto prepare = [&](long long k) {
    if (threadIdx.x < P::DEPTH)
      shared.rows[threadIdx.x] = k + threadIdx.x < depth ? view.row(first + k + threadIdx.x) : Row{0, OUTSIDE, 0};
  };
  prepare(0);
  __syncthreads();

  const T* data = static_cast<const T*>(job.data);
  Tile<P> sums;
  sums.sum(shared.tile, depth, tile_row == tile_column, Source<T, ALONG>{view, data, shared.rows, shared.columns[0]},
           Source<T, ALONG>{view, data, shared.rows, shared.columns[1]}, prepare);

  if (job.sums.chunks > 1) {
    float* partial = job.sums.partial(group, tile, chunk);
    P::each([&](int s, int r, int c) { partial[r * P::SIDE + c] = float(sums.total[s]); });
    return;
  }
  P::each([&](int s, int r, int c) {
    const int i = shared.natural[0][r], j = shared.natural[1][c];
    if (i < 0 || j < 0 || (tile_row == tile_column && r < c)) return;
    job.sums.moment.put(group, i, j, sums.total[s]);
  });
}

}  // namespace
}  // namespace kfac
