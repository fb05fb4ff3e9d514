// Tile policy: plain fp32 multiply-add. Portable, and the yardstick for the tensor-core policies.
#pragma once
#include "platform.cuh"

namespace kfac {

template <int SIDE_>
struct Ffma {
  using Sum = float;
  static constexpr int SIDE = SIDE_, THREADS = 2 * SIDE, DEPTH = 32, SUMS = SIDE / 2;

  struct Panel {
    float at[DEPTH][SIDE + 1];
    __device__ void put(int row, int k, float x) { at[k][row] = x; }
  };

  __device__ static int row_across(int) { return threadIdx.x % SIDE; }
  __device__ static int k_across(int i) { return threadIdx.x / SIDE + THREADS / SIDE * i; }

  // Thread t owns the rows t / 16 + ROW_STEP r and the columns t % 16 + 16 c.
  static constexpr int COLUMNS = SIDE / 16, ROWS = SUMS / COLUMNS, ROW_STEP = THREADS / 16;

  __device__ static void multiply(const Panel& left, const Panel& right, float (&total)[SUMS]) {
    const int row = threadIdx.x / 16, column = threadIdx.x % 16;
    float sum[SUMS] = {};
#pragma unroll 4
    for (int k = 0; k < DEPTH; ++k) {
      float a[ROWS], b[COLUMNS];
#pragma unroll
      for (int r = 0; r < ROWS; ++r) a[r] = left.at[k][row + ROW_STEP * r];
#pragma unroll
      for (int c = 0; c < COLUMNS; ++c) b[c] = right.at[k][column + 16 * c];
#pragma unroll
      for (int r = 0; r < ROWS; ++r)
#pragma unroll
        for (int c = 0; c < COLUMNS; ++c) sum[r * COLUMNS + c] = fmaf(a[r], b[c], sum[r * COLUMNS + c]);
    }
#pragma unroll
    for (int i = 0; i < SUMS; ++i) total[i] += sum[i];
  }

  template <class Visit>
  __device__ static void each(const Visit& visit) {
#pragma unroll
    for (int i = 0; i < SUMS; ++i)
      visit(i, threadIdx.x / 16 + ROW_STEP * (i / COLUMNS), threadIdx.x % 16 + 16 * (i % COLUMNS));
  }
};

}  // namespace kfac
