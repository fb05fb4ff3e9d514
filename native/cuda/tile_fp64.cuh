// Tile policy: fp64 multiply-add. For sums of few terms, which then are rounded but once.
#pragma once
#include "platform.cuh"

namespace kfac {

template <int SIDE_>
struct Fp64 {
  using Sum = double;
  static constexpr int SIDE = SIDE_, THREADS = 2 * SIDE, DEPTH = 32, SUMS = SIDE / 2;

  struct Panel {
    double at[DEPTH][SIDE + 1];
    __device__ void put(int row, int k, float x) { at[k][row] = x; }
  };

  __device__ static int row_across(int) { return threadIdx.x % SIDE; }
  __device__ static int k_across(int i) { return threadIdx.x / SIDE + THREADS / SIDE * i; }

  // Thread t owns the rows t / 16 + ROW_STEP r and the columns t % 16 + 16 c.
  static constexpr int COLUMNS = SIDE / 16, ROWS = SUMS / COLUMNS, ROW_STEP = THREADS / 16;

  __device__ static void multiply(const Panel& left, const Panel& right, double (&total)[SUMS]) {
    const int row = threadIdx.x / 16, column = threadIdx.x % 16;
#pragma unroll 2
    for (int k = 0; k < DEPTH; ++k) {
      double a[ROWS], b[COLUMNS];
#pragma unroll
      for (int r = 0; r < ROWS; ++r) a[r] = left.at[k][row + ROW_STEP * r];
#pragma unroll
      for (int c = 0; c < COLUMNS; ++c) b[c] = right.at[k][column + 16 * c];
#pragma unroll
      for (int r = 0; r < ROWS; ++r)
#pragma unroll
        for (int c = 0; c < COLUMNS; ++c) total[r * COLUMNS + c] = fma(a[r], b[c], total[r * COLUMNS + c]);
    }
  }

  template <class Visit>
  __device__ static void each(const Visit& visit) {
#pragma unroll
    for (int i = 0; i < SUMS; ++i)
      visit(i, threadIdx.x / 16 + ROW_STEP * (i / COLUMNS), threadIdx.x % 16 + 16 * (i % COLUMNS));
  }
};

}  // namespace kfac
