#include "elements.cuh"
#include "verbs.h"

namespace kfac {
namespace {

constexpr int TILE = 32, LINES = 8;

struct Shared {
  float at[TILE][TILE + 1];
};

constexpr int tiles(int size) { return (size + TILE - 1) / TILE; }

__global__ void transpose_kernel(Table<kfac_transpose_request> table) {
  KFAC_SHARED(Shared, shared);
  long long local;
  const kfac_transpose_request q = table.find(blockIdx.x, local);
  const int across = (q.columns + TILE - 1) / TILE, down = (q.rows + TILE - 1) / TILE;
  const long long matrix = local / across / down * q.rows * q.columns;
  const int row = int(local / across % down) * TILE, column = int(local % across) * TILE, x = threadIdx.x;
  for (int y = threadIdx.y; y < TILE; y += LINES)
    if (row + y < q.rows && column + x < q.columns)
      shared.at[y][x] = q.in[matrix + (long long)(row + y) * q.columns + column + x];
  __syncthreads();
  for (int y = threadIdx.y; y < TILE; y += LINES)
    if (column + y < q.columns && row + x < q.rows)
      q.out[matrix + (long long)(column + y) * q.rows + row + x] = shared.at[x][y];
}

}  // namespace

void transpose(const kfac_transpose_request* requests, int count, Plan& plan) {
  launch_requests(transpose_kernel, requests, count, dim3(TILE, LINES), sizeof(Shared), plan,
                  [](const auto& q) { return (long long)tiles(q.rows) * tiles(q.columns) * q.count; });
}

}  // namespace kfac
