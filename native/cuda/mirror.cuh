// A 32 x 32 block of a symmetric matrix and its mirror image, both written with coalesced stores.
#pragma once
#include "platform.cuh"
#include "view.h"

namespace kfac {

constexpr int MIRROR = 32, MIRROR_LINES = 8;  // block shape: 32 x 8 threads

struct MirrorShared {
  float at[MIRROR][MIRROR + 1];
};

KFAC_BOTH long long mirror_blocks(int n) { return triangle((n + MIRROR - 1) / MIRROR); }

// Visits the elements (i, j), j <= i < n, of lower block number index: write(i, j, read(i, j)), then write(j, i, ..).
template <class Read, class Write>
__device__ void mirror(MirrorShared& shared, long long index, int n, const Read& read, const Write& write) {
  const int row = int(triangle_row(index)), column = int(index - triangle(row));
  const int x = threadIdx.x;
  for (int y = threadIdx.y; y < MIRROR; y += MIRROR_LINES) {
    const int i = row * MIRROR + y, j = column * MIRROR + x;
    if (i >= n || j > i) continue;
    const float v = read(i, j);
    shared.at[y][x] = v;
    write(i, j, v);
  }
  __syncthreads();
  for (int y = threadIdx.y; y < MIRROR; y += MIRROR_LINES) {
    const int i = row * MIRROR + x, j = column * MIRROR + y;
    if (i < n && j < i) write(j, i, shared.at[x][y]);
  }
}

}  // namespace kfac
