// Tile policies on tensor cores (mma.sync m16n8k16): Exact for values that are 16-bit already, Split for fp32
// values as two fp16 numbers and three products. Split wants its values scaled into the fp16 range (tile.cuh).
#pragma once
#include "mma.cuh"

namespace kfac {

// 2 x SIDE / 32 warps, each with SIDE / 2 rows and 32 columns of the tile.
template <int SIDE_>
struct WarpTiles {
  using Sum = float;
  static constexpr int SIDE = SIDE_, THREADS = 2 * SIDE, DEPTH = 32, SUMS = SIDE / 2;
  static constexpr int BANDS = SIDE / 32;  // 16-row bands of a warp
  static constexpr int PITCH = DEPTH + 8;  // eight rows of ldmatrix then lie in eight different bank groups

  __device__ static int first_row() { return threadIdx.x / 32 % 2 * (SIDE / 2); }
  __device__ static int first_column() { return threadIdx.x / 64 * 32; }

  // Which element of a panel a thread fetches as number i where neighbouring rows are wanted: a warp has sixteen rows,
  // eight at a time (a sector of memory) with four k two apart, which lie in different banks.
  __device__ static int row_across(int i) { return threadIdx.x / 32 * 16 + threadIdx.x % 8 + i / 8 * 8; }
  __device__ static int k_across(int i) { return i / 2 % 4 * 8 + threadIdx.x % 32 / 8 * 2 + i % 2; }

  template <class T>
  __device__ static void load_left(uint32_t (&fragment)[4], const T (&panel)[SIDE][PITCH], int band, int k) {
    const int lane = threadIdx.x % 32;
    load_matrix(fragment, &panel[first_row() + 16 * band + lane % 16][k + lane / 16 * 8]);
  }
  // Fragments for two neighbouring groups of eight columns: [0], [1] and [2], [3].
  template <class T>
  __device__ static void load_right(uint32_t (&fragment)[4], const T (&panel)[SIDE][PITCH], int pair, int k) {
    const int lane = threadIdx.x % 32;
    load_matrix(fragment, &panel[first_column() + 16 * pair + lane / 16 * 8 + lane % 8][k + lane / 8 % 2 * 8]);
  }
  // Columns 8 half .. 8 half + 7 of a pair.
  template <class T>
  __device__ static void mma_half(float (&sum)[4], const uint32_t (&a)[4], const uint32_t (&b)[4], int half) {
    const uint32_t column[2] = {b[2 * half], b[2 * half + 1]};
    mma(T(), sum, a, column);
  }
  __device__ static void add(float (&total)[SUMS], int band, int pair, int half, const float (&sum)[4], float unscale) {
#pragma unroll
    for (int e = 0; e < 4; ++e) {
      float& t = total[(band * 4 + pair * 2 + half) * 4 + e];
      t = fmaf(sum[e], unscale, t);
    }
  }

  template <class Visit>
  __device__ static void each(const Visit& visit) {
    const int lane = threadIdx.x % 32, row = first_row() + lane / 4, column = first_column() + lane % 4 * 2;
#pragma unroll
    for (int i = 0; i < SUMS; ++i) visit(i, row + i / 16 * 16 + i % 4 / 2 * 8, column + i / 4 % 4 * 8 + i % 2);
  }
};

template <class T, int SIDE_>
struct Exact : WarpTiles<SIDE_> {
  using Base = WarpTiles<SIDE_>;
  static constexpr bool SCALED = false;
  static constexpr int STEPS = Base::DEPTH / 16;

  struct Panel {
    alignas(16) T at[Base::SIDE][Base::PITCH];
    __device__ void put(int row, int k, float x) { kfac::put(x, at[row][k]); }
  };

  __device__ static void multiply(const Panel& left, const Panel& right, float unscale, float (&total)[Base::SUMS]) {
    uint32_t a[STEPS][Base::BANDS][4];
#pragma unroll
    for (int k = 0; k < STEPS; ++k)
#pragma unroll
      for (int band = 0; band < Base::BANDS; ++band) Base::load_left(a[k][band], left.at, band, 16 * k);
#pragma unroll
    for (int pair = 0; pair < 2; ++pair) {
      uint32_t b[STEPS][4];
#pragma unroll
      for (int k = 0; k < STEPS; ++k) Base::load_right(b[k], right.at, pair, 16 * k);
#pragma unroll
      for (int tile = 0; tile < 2 * Base::BANDS; ++tile) {
        const int band = tile / 2, half = tile % 2;
        float sum[4] = {0.0f, 0.0f, 0.0f, 0.0f};
#pragma unroll
        for (int k = 0; k < STEPS; ++k) Base::template mma_half<T>(sum, a[k][band], b[k], half);
        Base::add(total, band, pair, half, sum, unscale);
      }
    }
  }
};

template <int SIDE_>
struct Split : WarpTiles<SIDE_> {
  using Base = WarpTiles<SIDE_>;
  static constexpr bool SCALED = true;

  struct Panel {
    alignas(16) Half high[Base::SIDE][Base::PITCH], low[Base::SIDE][Base::PITCH];
    __device__ void put(int row, int k, float x) {
      const Half h = to_half(x);
      high[row][k] = h;
      low[row][k] = to_half(x - value(h));
    }
  };

  // The small products come first: what the tensor core truncates is then relative to them.
  __device__ static void multiply(const Panel& left, const Panel& right, float unscale, float (&total)[Base::SUMS]) {
#pragma unroll 1  // for the registers
    for (int k = 0; k < Base::DEPTH; k += 16) {
      uint32_t high[Base::BANDS][4], low[Base::BANDS][4];
#pragma unroll
      for (int band = 0; band < Base::BANDS; ++band) {
        Base::load_left(high[band], left.high, band, k);
        Base::load_left(low[band], left.low, band, k);
      }
#pragma unroll
      for (int pair = 0; pair < 2; ++pair) {
        uint32_t b_high[4], b_low[4];
        Base::load_right(b_high, right.high, pair, k);
        Base::load_right(b_low, right.low, pair, k);
#pragma unroll
        for (int tile = 0; tile < 2 * Base::BANDS; ++tile) {
          const int band = tile / 2, half = tile % 2;
          float sum[4] = {0.0f, 0.0f, 0.0f, 0.0f};
          Base::template mma_half<Half>(sum, low[band], b_high, half);
          Base::template mma_half<Half>(sum, high[band], b_low, half);
          Base::template mma_half<Half>(sum, high[band], b_high, half);
          Base::add(total, band, pair, half, sum, unscale);
        }
      }
    }
  }
};

}  // namespace kfac
