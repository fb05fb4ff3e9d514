// U = scale G^-1 dW A^-1 as two grouped products, all layers and groups in each launch; <U, dW> and the norms of both
// in the second one, where they are at hand.
#include "parts.cuh"
#include "tile.cuh"
#include "tile_ffma.cuh"
#include "tile_mma.cuh"
#include "verbs.h"

namespace kfac {
namespace {

// One group of one layer.
struct Job {
  const float* g_inverse;  // [out, out]
  const float* a_inverse;  // [columns, columns]
  const float* weight;     // [out, in]
  const float* bias;       // [out] or null
  float* weight_result;
  float* bias_result;
  float* product;        // [columns, out]: (dW A^-1)'
  double* inner;         // one for each tile
  double* multiplied;    // as many, of |dW|^2 times both norms; null if nobody asks for norms
  double* squares;       // as many, of |U|^2
  const double* g_norm;  // |G^-1|^2
  const double* a_norm;
  int out, in, columns;
  float scale;
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

// dW: weight | bias
struct Gradient {
  static constexpr bool ALONG_DEPTH = true;
  const Job& job;
  int first_row;
  __device__ float at(long long i, long long j) const {
    return j < job.in ? job.weight[i * opaque(job.in) + j] : job.bias[i];
  }
  __device__ float operator()(int row, int k, long long first) const {
    const long long i = first_row + row, j = first + k;
    return i < opaque(job.out) && j < job.columns ? at(i, j) : 0.0f;
  }
};

template <class P>
struct Shared {
  TileShared<P> tile;
  double partial[3][P::THREADS / 32];
  // Kept out of the registers while the product is formed.
  float scale;
  const Job* job;
  long long part;  // the tile's number in it
};

template <class P>
__global__ void __launch_bounds__(P::THREADS, 1) right_kernel(Table<Job> table) {
  KFAC_SHARED(TileShared<P>, shared);
  long long tile;
  const Job job = table.find(blockIdx.x, tile);
  const int across = (job.out + P::SIDE - 1) / P::SIDE;
  const int row = int(tile / across) * P::SIDE, column = int(tile % across) * P::SIDE;
  Tile<P> sums;
  sums.sum(shared, job.columns, false, Transposed{job.a_inverse, row, job.columns, job.columns}, Gradient{job, column},
           NoPreparation());
  P::each([&](int s, int r, int c) {
    if (row + r < job.columns && column + c < job.out)
      job.product[(long long)(row + r) * job.out + column + c] = sums.total[s];
  });
}

template <class P>
__global__ void __launch_bounds__(P::THREADS, 1) left_kernel(Table<Job> table) {
  KFAC_SHARED(Shared<P>, shared);
  long long tile;
  const Job& found = table.find(blockIdx.x, tile);
  const Job job = found;
  const int across = (job.columns + P::SIDE - 1) / P::SIDE;
  const int row = int(tile / across) * P::SIDE, column = int(tile % across) * P::SIDE;
  if (threadIdx.x == 0) shared.scale = job.scale, shared.job = &found, shared.part = tile;
  Tile<P> sums;
  sums.sum(shared.tile, job.out, false, Matrix{job.g_inverse, row, job.out, job.out},
           Matrix{job.product, column, job.columns, job.out}, NoPreparation());
  // One sum after another, for the registers. Beyond the edges of U all sums are 0.
  double step = 0.0;
  P::each([&](int s, int, int) {
    sums.total[s] *= shared.scale;
    step += double(sums.total[s]) * double(sums.total[s]);
  });
  step = block_sum(step, shared.partial[1]);
  const Gradient gradient{job, 0};
  double inner = 0.0, given = 0.0;
  P::each([&](int s, int r, int c) {
    const long long i = row + r, j = column + c;
    if (i >= job.out || j >= job.columns) return;
    const double dw = gradient.at(i, j);  // read before it may be overwritten
    inner += sums.total[s] * dw;
    given += dw * dw;
    if (j < job.in) job.weight_result[i * job.in + j] = sums.total[s];
    else job.bias_result[i] = sums.total[s];
  });
  inner = block_sum(inner, shared.partial[0]);
  given = block_sum(given, shared.partial[2]);
  if (threadIdx.x != 0) return;
  const Job& owner = *shared.job;
  owner.inner[shared.part] = inner;
  if (!owner.squares) return;
  const double scale = shared.scale;
  owner.multiplied[shared.part] = scale * scale * given * (*owner.g_norm / job.out) * (*owner.a_norm / job.columns);
  owner.squares[shared.part] = step;
}

long long tiles_of(const kfac_precondition_request& q, int side) {
  const int out = q.out / q.groups, columns = q.in + (q.bias_gradient != nullptr);
  return (long long)((out + side - 1) / side) * ((columns + side - 1) / side);
}

template <class P, class Wanted>
void add(const kfac_precondition_request* requests, int count, Batch<PartsJob>& totals, Plan& plan,
         const Wanted& wanted) {
  Batch<Job> batch;
  for (int i = 0; i < count; ++i) {
    const kfac_precondition_request& q = requests[i];
    if (!wanted(q)) continue;
    const int columns = q.in + (q.bias_gradient != nullptr), out = q.out / q.groups;
    const long long tiles = tiles_of(q, P::SIDE);
    const long long parts = tiles * q.groups;
    const bool measured = q.norms != nullptr;
    auto total = [&](double* sum) {
      double* each = plan.take<double>(parts);
      totals.add({each, sum, parts}, 1);
      return each;
    };
    double* inner = total(q.inner);
    double* multiplied = measured ? total(q.norms) : nullptr;
    double* squares = measured ? total(q.norms + 1) : nullptr;
    float* product = plan.take<float>((long long)q.out * columns);
    for (long long g = 0; g < q.groups; ++g) {
      const long long weights = g * out * q.in, biases = g * out, first = g * tiles;
      batch.add({q.g_inverse + g * out * out, q.a_inverse + g * columns * columns, q.weight_gradient + weights,
                 q.bias_gradient ? q.bias_gradient + biases : nullptr, q.weight_result + weights,
                 q.bias_result ? q.bias_result + biases : nullptr, product + g * out * columns, inner + first,
                 measured ? multiplied + first : nullptr, measured ? squares + first : nullptr,
                 measured ? q.g_norms + g : nullptr, measured ? q.a_norms + g : nullptr, out, q.in, columns, q.scale},
                tiles);
    }
  }
  if (!batch.blocks()) return;
  const Table<Job> table = plan.table(batch);
  plan.launch(right_kernel<P>, batch.blocks(), P::THREADS, sizeof(TileShared<P>), table);
  plan.launch(left_kernel<P>, batch.blocks(), P::THREADS, sizeof(Shared<P>), table);
}

}  // namespace

void precondition(const kfac_precondition_request* requests, int count, int math, Plan& plan) {
  using Request = kfac_precondition_request;
  // The large tile needs half the loads for each product; it may waste that much on its padding.
  auto large = [](const Request& q) { return 4 * tiles_of(q, 128) <= 3 * tiles_of(q, 64) / 2; };
  Batch<PartsJob> totals;
  if (math == KFAC_FFMA) {
    add<Ffma<64>>(requests, count, totals, plan, [](const Request&) { return true; });
  } else {
    add<Split<128>>(requests, count, totals, plan, large);
    add<Split<64>>(requests, count, totals, plan, [=](const Request& q) { return !large(q); });
  }
  plan.launch(sum_parts_kernel, totals, SUM_THREADS, sizeof(SumShared));
}

}  // namespace kfac
