// Preconditioning in plain fp32, whose operands are gathered while a tile is computed.
#pragma once
#include "step.cuh"
#include "tile.cuh"
#include "tile_ffma.cuh"

namespace kfac {
namespace {

struct GatheredJob {
  Step step;
  float* product;  // [out, columns]: G^-1 dW
};

// opaque: else the addresses of all rows of a tile are kept in registers, and spill.
struct Matrix {
  static constexpr bool ALONG_DEPTH = true;
  const float* data;
  int first_row, rows, columns;
  __device__ float operator()(int row, int k, long long first) const {
    const long long i = first_row + row, j = first + k;
    return i < opaque(rows) && j < columns ? data[i * opaque(columns) + j] : 0.0f;
  }
};

// Its transpose: columns of the matrix as rows.
struct Transposed {
  static constexpr bool ALONG_DEPTH = false;
  const float* data;
  int first_column, rows, columns;
  __device__ float operator()(int column, int k, long long first) const {
    const long long i = first + k, j = first_column + column;
    return i < rows && j < opaque(columns) ? data[i * opaque(columns) + j] : 0.0f;
  }
};

// Of weight | bias.
struct TransposedGradient {
  static constexpr bool ALONG_DEPTH = false;
  const Step& step;
  int first_column;
  __device__ float operator()(int column, int k, long long first) const {
    const long long i = first + k, j = first_column + column;
    return i < step.out && j < opaque(step.columns) ? step.gradient(i, j) : 0.0f;
  }
};

template <class P>
struct GatheredShared {
  TileShared<P> tile;
  StepShared<P::THREADS> step;
};

// Where a tile of U begins.
template <class P>
struct Corner {
  int row, column;
  __device__ Corner(const Step& step, long long tile) {
    const int across = (step.columns + P::SIDE - 1) / P::SIDE;
    row = int(tile / across) * P::SIDE, column = int(tile % across) * P::SIDE;
  }
};

template <class P>
__global__ void __launch_bounds__(P::THREADS, 1) gathered_left_kernel(Table<GatheredJob> table) {
  KFAC_SHARED(TileShared<P>, shared);
  long long tile;
  const GatheredJob job = table.find(blockIdx.x, tile);
  const Step& step = job.step;
  const Corner<P> at(step, tile);
  Tile<P> sums;
  sums.sum(shared, step.out, false, Matrix{step.g_inverse, at.row, step.out, step.out},
           TransposedGradient{step, at.column}, NoPreparation());
  P::each([&](int s, int r, int c) {
    if (at.row + r < step.out && at.column + c < step.columns)
      job.product[(long long)(at.row + r) * step.columns + at.column + c] = sums.total[s];
  });
}

template <class P>
__global__ void __launch_bounds__(P::THREADS, 1) gathered_right_kernel(Table<GatheredJob> table) {
  KFAC_SHARED(GatheredShared<P>, shared);
  long long tile;
  const GatheredJob& job = table.find(blockIdx.x, tile);
  const Step& step = job.step;
  const Corner<P> at(step, tile);
  Tile<P> sums;
  sums.sum(shared.tile, step.columns, false, Matrix{job.product, at.row, step.out, step.columns},
           Transposed{step.a_inverse, at.column, step.columns, step.columns}, NoPreparation());
  finish<P::THREADS>(step, tile, at.row, at.column, shared.step,
                     [&](const auto& visit) { P::each([&](int s, int r, int c) { visit(sums.total[s], r, c); }); });
}

}  // namespace
}  // namespace kfac
