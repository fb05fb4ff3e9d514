// Patch extraction: the rows of a View, stored.
#include "gather.cuh"
#include "plan.h"
#include "verbs.h"

namespace kfac {
namespace {

constexpr int THREADS = 256, ROWS = 64;

struct Job {
  View view;
  const void* data;
  float* out;
  int width;  // columns of a block, a power of two; THREADS / width rows at a time
};

struct Shared {
  Row rows[ROWS];
};

// A block writes ROWS rows of width columns; a thread keeps its column.
template <class T>
__global__ void __launch_bounds__(THREADS) patches_kernel(Table<Job> table) {
  KFAC_SHARED(Shared, shared);
  long long local;
  const Job& job = table.find(blockIdx.x, local);
  const View view = job.view;
  const int bands = (view.columns + job.width - 1) / job.width;
  const long long row_blocks = (view.rows + ROWS - 1) / ROWS;
  const long long first = local / bands % row_blocks * ROWS;
  const long long group = local / bands / row_blocks;
  if (threadIdx.x < ROWS) shared.rows[threadIdx.x] = view.row(first + threadIdx.x);
  __syncthreads();
  const int j = int(local % bands) * job.width + int(threadIdx.x) % job.width;
  if (j >= view.columns) return;
  const Column column = view.column(int(group), j, false);
  float* out = job.out + (group * view.rows + first) * view.columns + j;
  for (int r = threadIdx.x / job.width; r < ROWS && first + r < view.rows; r += THREADS / job.width)
    out[(long long)r * view.columns] = gather(view, static_cast<const T*>(job.data), shared.rows[r], column);
}

int block_width(int columns) {
  int width = 32;
  while (width < columns && width < THREADS) width *= 2;
  return width;
}

}  // namespace

void patches(const kfac_patches_request* requests, int count, Plan& plan) {
  Batch<Job> batches[3];
  for (int i = 0; i < count; ++i) {
    const kfac_patches_request& q = requests[i];
    const View view(q.samples);
    const int width = block_width(view.columns);
    const long long row_blocks = (view.rows + ROWS - 1) / ROWS, bands = (view.columns + width - 1) / width;
    batches[q.samples.dtype].add({view, q.samples.data, q.out, width}, row_blocks * bands * q.samples.groups);
  }
  void (*const kernels[])(Table<Job>) = {patches_kernel<float>, patches_kernel<Bfloat>, patches_kernel<Half>};
  for (int dtype = 0; dtype < 3; ++dtype) plan.launch(kernels[dtype], batches[dtype], THREADS, sizeof(Shared));
}

}  // namespace kfac
