// The sums of shifts.h on the product loop, and what puts the second moment together from them.
#pragma once
#include "moment.cuh"
#include "product.cuh"
#include "shifts.h"

namespace kfac {
namespace {

__device__ __forceinline__ void swap(int& a, int& b) {
  const int other = a;
  a = b, b = other;
}

// One of the sums, in tiles; symmetric: the lower ones only.
struct Correlation {
  float* partials;  // [tiles, chunks, side, side]; null: it is not needed
  int chunks, symmetric;

  // Of channels i and j.
  __device__ double at(int i, int j, int side, int across) const {
    if (symmetric && i < j) swap(i, j);
    const int row = i / side, column = j / side;
    const long long tile = symmetric ? triangle(row, column) : (long long)row * across + column;
    const float* from = partials + tile * chunks * side * side + (i - row * side) * side + (j - column * side);
    double sum = 0.0;
    for (int c = 0; c < chunks; ++c) sum += from[(long long)c * side * side];
    return sum;
  }
};

struct CorrelateJob {
  Operand left, right;  // pixels, of which the tokens are a rectangle
  Tokens tokens;
  int columns, chunk_tokens;
  Correlation sums;
};

template <class T>
__global__ void __launch_bounds__(T::THREADS, T::BLOCKS) correlate_kernel(Table<CorrelateJob> table) {
  KFAC_SHARED(ProductShared<T>, shared);
  long long local;
  const CorrelateJob& job = table.find(blockIdx.x, local);
  const Correlation& sums = job.sums;
  const int across = (job.columns + T::SIDE - 1) / T::SIDE;
  const int tiles = sums.symmetric ? int(triangle(across)) : across * across;
  const int tile = int(local % tiles), chunk = int(local / tiles);
  const int row = sums.symmetric ? int(triangle_row(tile)) : tile / across;
  const int column = sums.symmetric ? tile - int(triangle(row)) : tile % across;
  const int first = chunk * job.chunk_tokens, end = min(first + job.chunk_tokens, job.tokens.count);
  const Columns columns = Columns::plain(job.columns);
  typename T::Sums total = {};
  product<T, Rectangle>(job.tokens, {job.left, columns, row}, {job.right, columns, column}, first, end,
                        sums.symmetric && row == column, shared, total);
  float* partial = sums.partials + ((long long)tile * sums.chunks + chunk) * (T::SIDE * T::SIDE);
  T::each(total, [&](float sum, int r, int c) { partial[r * T::SIDE + c] = sum; });
}

struct AssembleJob {
  Moment moment;
  const Correlation* sums;    // [ranges of rows, ranges of columns]
  const int *rows, *columns;  // Axis::of
  int row_kernel, column_kernel, column_ranges;
  int channels, side;
  double count;  // of outputs

  // Of channels i and j at kernel positions (uy, ux) and (vy, vx).
  __device__ double sum(int i, int uy, int ux, int j, int vy, int vx) const {
    if (!leads(vy - uy, vx - ux)) swap(i, j), swap(uy, vy), swap(ux, vx);
    const int across = (channels + side - 1) / side;
    const int* of_rows = rows + (uy * row_kernel + vy) * Axis::KINDS;
    const int* of_columns = columns + (ux * column_kernel + vx) * Axis::KINDS;
    double total = 0.0;
    for (int r = 0; r < Axis::KINDS; ++r)
      for (int c = 0; c < Axis::KINDS; ++c) {
        if (of_rows[r] < 0 || of_columns[c] < 0) continue;
        const double part = sums[of_rows[r] * column_ranges + of_columns[c]].at(i, j, side, across);
        total += (r == Axis::ALL) == (c == Axis::ALL) ? part : -part;
      }
    return total;
  }
  // In the order (channel, ky, kx) with the constant last; the sums with the constant are those of the pixels alone.
  __device__ double element(int i, int j) const {
    const int taps = row_kernel * column_kernel, patch = channels * taps;
    if (j == patch) return count;
    const int channel = j / taps, v = j - channel * taps, vy = v / column_kernel, vx = v - vy * column_kernel;
    if (i == patch) return sum(channels, vy, vx, channel, vy, vx);
    const int other = i / taps, u = i - other * taps, uy = u / column_kernel;
    return sum(other, uy, u - uy * column_kernel, channel, vy, vx);
  }
};

// In the natural order of columns: so stores are whole lines, and the taps of a channel find each other's sums cached.
__global__ void assemble_kernel(Table<AssembleJob> table) {
  KFAC_SHARED(MirrorShared, shared);
  long long local;
  const AssembleJob& job = table.find(blockIdx.x, local);
  mirror(
      shared, local, job.moment.n, [&](int i, int j) { return job.moment.blend(0, i, j, job.element(i, j)); },
      [&](int i, int j, float value) { job.moment.at(0, i, j) = value; });
}

}  // namespace
}  // namespace kfac
