// Eigenvectors from rows to columns.
#include "elements.cuh"
#include "verbs.h"

namespace kfac {
namespace {

constexpr int TILE = 32, LINES = 8;

struct Shared {
  double at[TILE][TILE + 1];
};

template <class T>
__global__ void vectors_kernel(Table<kfac_eigen_store_request> table) {
  KFAC_SHARED(Shared, shared);
  long long local;
  const kfac_eigen_store_request q = table.find(blockIdx.x, local);
  const int tiles = (q.n + TILE - 1) / TILE, x = threadIdx.x;
  const long long matrix = local / tiles / tiles, first = matrix * q.n * q.n;
  if (q.status[matrix] != KFAC_MATRIX_OK) return;
  const int row = int(local / tiles % tiles) * TILE, column = int(local % tiles) * TILE;
  for (int y = threadIdx.y; y < TILE; y += LINES)
    if (row + y < q.n && column + x < q.n) shared.at[y][x] = q.vectors[first + (long long)(row + y) * q.n + column + x];
  __syncthreads();
  for (int y = threadIdx.y; y < TILE; y += LINES) {
    if (column + y < q.n && row + x < q.n)
      static_cast<T*>(q.columns)[first + (long long)(column + y) * q.n + row + x] = T(shared.at[x][y]);
  }
}

template <class T>
__global__ void __launch_bounds__(ELEMENT_THREADS) values_kernel(Table<kfac_eigen_store_request> table) {
  long long local;
  const kfac_eigen_store_request q = table.find(blockIdx.x, local);
  each_element(local, (long long)q.n * q.count, [&](long long i) {
    if (q.status[i / q.n] == KFAC_MATRIX_OK) static_cast<T*>(q.rounded)[i] = T(q.values[i]);
  });
}

}  // namespace

void eigen_store(const kfac_eigen_store_request* requests, int count, Plan& plan) {
  auto vectors = [&](void (*kernel)(Table<kfac_eigen_store_request>), int dtype) {
    launch_requests(kernel, requests, count, dim3(TILE, LINES), sizeof(Shared), plan, [=](const auto& q) {
      const long long tiles = (q.n + TILE - 1) / TILE;
      return q.vectors_dtype == dtype ? tiles * tiles * q.count : 0LL;
    });
  };
  auto values = [&](void (*kernel)(Table<kfac_eigen_store_request>), int dtype) {
    launch_requests(kernel, requests, count, ELEMENT_THREADS, 0, plan, [=](const auto& q) {
      return q.values_dtype == dtype ? element_blocks((long long)q.n * q.count) : 0LL;
    });
  };
  vectors(vectors_kernel<float>, KFAC_F32);
  vectors(vectors_kernel<double>, KFAC_F64);
  values(values_kernel<float>, KFAC_F32);
  values(values_kernel<double>, KFAC_F64);
}

}  // namespace kfac
