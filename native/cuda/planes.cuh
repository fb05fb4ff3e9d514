// Samples -> planes of 16-bit numbers, token by token, as the main loop of products wants them. fp32 becomes two planes
// of fp16 numbers with x = (high + low) * down, down a power of two; 16-bit numbers are only put in order.
//
// A block of TRIP tokens x SCALE_COLUMNS columns has a scale of its own, so one pass does it. Where a product shifts
// columns against each other, blocks do not meet: one scale for the tensor then, and a pass ahead for its peak.
#pragma once
#include "plan.h"
#include "gather.cuh"
#include "tiling.cuh"

namespace kfac {

// Of the warps of a block.
template <int THREADS>
struct Peaks {
  unsigned peak[THREADS / 32];
};

namespace {

struct PlanesJob {
  View view;
  const void* data;
  void *high, *low;                 // [groups, rows, pitch]
  unsigned* peak;                   // bits of the largest magnitude of all, 0 before; null: scales of blocks
  float* down;                      // one, or [groups, blocks of tokens, blocks of columns]
  int groups, pitch, columns, one;  // columns: with padding, a multiple of eight; one: the column that is 1, or -1
  const float* last;                // [rows], of one group: what that column holds instead of 1; or null

  KFAC_BOTH int token_blocks(int tokens = TRIP) const { return (int(view.rows) + tokens - 1) / tokens; }
  KFAC_BOTH int column_blocks() const { return (columns + SCALE_COLUMNS - 1) / SCALE_COLUMNS; }
  long long blocks() const { return (long long)groups * token_blocks() * column_blocks(); }
};

// Which numbers neighbouring threads read: channels of a pixel, pixels of a channel, or pixels of the patches' columns.
enum class Reads { CHANNELS, PIXELS, PATCHES };

constexpr int PLANES_THREADS = 256, PLANES_CHUNKS = SCALE_COLUMNS / 8;

__device__ __forceinline__ void put(float x, float& to) { to = x; }

// TOKENS: that share a scale. THREADS: of the block.
template <class T, Reads READS, int TOKENS, int THREADS = PLANES_THREADS>
struct Part {
  static constexpr int WARPS = THREADS / 32,
                       CHUNKS = TOKENS * PLANES_CHUNKS / THREADS;  // of eight columns, that a thread has
  T x[CHUNKS][8];
  int group, block, first_token, first_column;

  // All loads of a thread are under way at once.
  __device__ Part(const PlanesJob& job, long long index) : block(int(index)) {
    const int columns = job.column_blocks(), tokens = job.token_blocks(TOKENS);
    first_column = block % columns * SCALE_COLUMNS;
    first_token = block / columns % tokens * TOKENS;
    group = block / columns / tokens;
#pragma unroll
    for (int i = 0; i < CHUNKS; ++i) load(job, token(i), column(i), x[i]);
  }
  __device__ int token(int i) const {
    if constexpr (READS == Reads::CHANNELS)
      return first_token + int(threadIdx.x) / PLANES_CHUNKS + THREADS / PLANES_CHUNKS * i;
    return first_token + (int(threadIdx.x) / 32 + WARPS * i) % (TOKENS / 32) * 32 + int(threadIdx.x) % 32;
  }
  __device__ int column(int i) const {
    if constexpr (READS == Reads::CHANNELS) return first_column + int(threadIdx.x) % PLANES_CHUNKS * 8;
    return first_column + (int(threadIdx.x) / 32 + WARPS * i) / (TOKENS / 32) * 8;
  }
  // Bits of the largest finite magnitude in the warp.
  __device__ unsigned peak() const {
    unsigned largest = 0;
#pragma unroll
    for (int i = 0; i < CHUNKS; ++i)
#pragma unroll
      for (int j = 0; j < 8; ++j) {
        const unsigned bits = __float_as_uint(x[i][j]) & 0x7fffffffu;
        largest = max(largest, bits < 0x7f800000u ? bits : 0u);
      }
    return __reduce_max_sync(~0u, largest);
  }

 private:
  __device__ void load(const PlanesJob& job, int token, int column, T (&to)[8]) const {
    const View& view = job.view;
    const T* data = static_cast<const T*>(job.data);
    const Row row = view.row(token);
    const bool there = READS == Reads::PATCHES || view.inside(row, Row{0, 0, 0});
    if constexpr (READS != Reads::PATCHES)
      data += row.offset + ((long long)group * view.channels + column) * view.channel_stride;
    if (READS == Reads::CHANNELS && there && column + 8 <= view.channels &&
        reinterpret_cast<uintptr_t>(data) % 16 == 0) {
      constexpr int QUARTERS = 8 * sizeof(T) / 16;
      uint4 quarters[QUARTERS];
#pragma unroll
      for (int q = 0; q < QUARTERS; ++q) quarters[q] = reinterpret_cast<const uint4*>(data)[q];
      memcpy(to, quarters, sizeof quarters);
      return;
    }
#pragma unroll
    for (int j = 0; j < 8; ++j) {
      put(column + j != job.one || row.y == OUTSIDE ? 0.0f : job.last ? job.last[token] : 1.0f, to[j]);
      if (column + j >= view.patch()) continue;
      if constexpr (READS == Reads::PATCHES) {
        const Column c = view.column(group, column + j, false);
        if (view.inside(row, c)) to[j] = data[row.offset + c.offset];
      } else if (there) {
        to[j] = data[j * view.channel_stride];
      }
    }
  }
};

using PlanesShared = Peaks<PLANES_THREADS>;

template <Reads READS>
__global__ void __launch_bounds__(PLANES_THREADS) peak_kernel(Table<PlanesJob> table) {
  long long local;
  const PlanesJob& job = table.find(blockIdx.x, local);
  const unsigned largest = Part<float, READS, TRIP>(job, local).peak();
  if (threadIdx.x % 32 == 0) atomicMax(job.peak, largest);
}

// Block number local of a job.
template <class T, Reads READS, int TOKENS, int THREADS>
__device__ __forceinline__ void write_planes(const PlanesJob& job, long long local, Peaks<THREADS>& shared) {
  const Part<T, READS, TOKENS, THREADS> part(job, local);
  constexpr bool SPLIT = sizeof(T) == 4;
  float up = 1.0f;
  if constexpr (SPLIT) {
    unsigned peak = 0;
    if (job.peak) {
      peak = *job.peak;
    } else {
      const unsigned mine = part.peak();
      if (threadIdx.x % 32 == 0) shared.peak[threadIdx.x / 32] = mine;
      __syncthreads();
#pragma unroll
      for (unsigned of_warp : shared.peak) peak = max(peak, of_warp);
    }
    // Powers of two: values below 2^15; 2^-61 at least, so that the product of two stays above 2^-149.
    const unsigned exponent = max(peak >> 23, 66u);
    up = __uint_as_float((268u - exponent) << 23);
    if (threadIdx.x == 0 && (!job.peak || local == 0)) job.down[local] = __uint_as_float((exponent - 14u) << 23);
  }
#pragma unroll
  for (int i = 0; i < part.CHUNKS; ++i) {
    const int token = part.token(i), column = part.column(i);
    if (token >= job.view.rows || column >= job.columns) continue;
    const long long at = ((long long)part.group * job.view.rows + token) * job.pitch + column;
    uint4 high, low;
    if constexpr (SPLIT) {
      uint32_t pairs[2][4];
#pragma unroll
      for (int j = 0; j < 4; ++j) {
        const float a = part.x[i][2 * j] * up, b = part.x[i][2 * j + 1] * up;
        pairs[0][j] = pack_halves(a, b);
        pairs[1][j] = pack_halves(a - first_half(pairs[0][j]), b - second_half(pairs[0][j]));
      }
      memcpy(&high, pairs[0], sizeof high);
      memcpy(&low, pairs[1], sizeof low);
      *reinterpret_cast<uint4*>(static_cast<Half*>(job.low) + at) = low;
    } else {
      memcpy(&high, part.x[i], sizeof high);
    }
    *reinterpret_cast<uint4*>(static_cast<Half*>(job.high) + at) = high;
  }
}

template <class T, Reads READS>
__global__ void __launch_bounds__(PLANES_THREADS, 2) planes_kernel(Table<PlanesJob> table) {
  KFAC_SHARED(PlanesShared, shared);
  long long local;
  const PlanesJob& job = table.find(blockIdx.x, local);
  write_planes<T, READS, TRIP>(job, local, shared);
}

// Of a [rows, columns] matrix, row by row.
inline View matrix_view(int rows, int columns, long long row_stride, long long column_stride) {
  kfac_samples s{};
  s.groups = 1, s.batch = rows, s.channels = columns, s.height = s.width = 1;
  s.batch_stride = row_stride, s.channel_stride = column_stride;
  s.kernel_height = s.kernel_width = s.stride_height = s.stride_width = s.dilation_height = s.dilation_width = 1;
  return View(s);
}

}  // namespace
}  // namespace kfac
