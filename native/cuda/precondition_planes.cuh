// Preconditioning on the product loop: both inverses, the gradient and, between the two products, P = G^-1 dW are each
// written to planes once. The loop wants the rows of its operands to be what is summed over, so P is formed as its
// transpose, dW' (G^-1)', and G^-1 is the one operand that is transposed on its way to planes.
#pragma once
#include "planes.cuh"
#include "product.cuh"
#include "region.h"
#include "step.cuh"

namespace kfac {
namespace {

struct ProductJob {
  Operand left, right;  // [tokens, rows], [tokens, columns]
  int tokens, rows, columns;
  float* product;  // [rows, pitch], or null
  int pitch;
  Step step;

  long long tiles() const {
    return (long long)((rows + step.side - 1) / step.side) * ((columns + step.side - 1) / step.side);
  }
};

template <class T>
union PreconditionShared {
  ProductShared<T> product;
  StepShared<T::THREADS> step;
};

// Which tile a block has, and its sums.
template <class T>
struct TileOf {
  int row, column;
  typename T::Sums sums = {};

  __device__ __forceinline__ TileOf(const ProductJob& job, long long tile, ProductShared<T>& shared) {
    const int across = (job.columns + T::SIDE - 1) / T::SIDE;
    const int i = int(tile / across), j = int(tile % across);
    row = i * T::SIDE, column = j * T::SIDE;
    product<T, Plain>(Tokens::plain(job.tokens), {job.left, Columns::plain(job.rows), i},
                      {job.right, Columns::plain(job.columns), j}, 0, job.tokens, false, shared, sums);
  }
};

// P', in fp32: where its scales change other tiles take part.
template <class T>
__global__ void __launch_bounds__(T::THREADS, T::BLOCKS) left_kernel(Table<ProductJob> table) {
  KFAC_SHARED(PreconditionShared<T>, shared);
  long long tile;
  const ProductJob& job = table.find(blockIdx.x, tile);
  const TileOf<T> found(job, tile, shared.product);
  T::each(found.sums, [&](float sum, int r, int c) {
    const int i = found.row + r, j = found.column + c;
    if (i < job.rows && j < job.columns) job.product[(long long)i * job.pitch + j] = sum;
  });
}

// U = scale P A^-1.
template <class T>
__global__ void __launch_bounds__(T::THREADS, T::BLOCKS) right_kernel(Table<ProductJob> table) {
  KFAC_SHARED(PreconditionShared<T>, shared);
  long long tile;
  const ProductJob& job = table.find(blockIdx.x, tile);
  const TileOf<T> found(job, tile, shared.product);
  finish<T::THREADS>(job.step, tile, found.row, found.column, shared.step,
                     [&](const auto& visit) { T::each(found.sums, visit); });
}

struct PreparedStep {
  PlanesJob g, gradient, a, product;
  ProductJob left, right;
};

// The planes of a [rows, columns] matrix whose elements lie so far apart, and of one more column, if last is not null.
inline PlanesJob planes_of(const float* data, int rows, int columns, long long row_stride, long long column_stride,
                           const float* last, Region& region) {
  PlanesJob job{};
  job.view = matrix_view(rows, columns, row_stride, column_stride), job.data = data, job.groups = 1, job.last = last;
  job.columns = up(columns + (last != nullptr), 8);
  job.pitch = up(job.columns, 16);  // whole sectors of memory
  job.one = last ? columns : -1;
  job.high = region.take<Half>((long long)rows * job.pitch);
  job.low = region.take<Half>((long long)rows * job.pitch);
  job.down = region.take<float>(job.blocks());
  return job;
}

inline Operand operand(const PlanesJob& job) {
  return {job.high, job.low, 2 * job.pitch, job.down, job.column_blocks()};
}

inline PreparedStep prepare(const Step& step, Region& region) {
  PreparedStep p;
  const int out = step.out, columns = step.columns, pitch = up(out, 4);
  float* product = region.take<float>((long long)columns * pitch);
  p.g = planes_of(step.g_inverse, out, out, 1, out, nullptr, region);
  p.gradient = planes_of(step.weight, out, step.in, step.in, 1, step.bias, region);
  p.a = planes_of(step.a_inverse, columns, columns, columns, 1, nullptr, region);
  p.product = planes_of(product, columns, out, pitch, 1, nullptr, region);
  p.left = {operand(p.gradient), operand(p.g), out, columns, out, product, pitch, step};
  p.right = {operand(p.product), operand(p.a), columns, out, columns, nullptr, 0, step};
  return p;
}

template <class T>
void launch_products(void (*kernel)(Table<ProductJob>), const std::vector<PreparedStep>& all,
                     ProductJob PreparedStep::*which, Plan& plan) {
  std::vector<const ProductJob*> jobs;
  for (const PreparedStep& p : all)
    if ((p.*which).step.side == T::SIDE) jobs.push_back(&(p.*which));
  // Where blocks take longest first, the last ones are short.
  std::stable_sort(jobs.begin(), jobs.end(), [](const auto* a, const auto* b) { return a->tokens > b->tokens; });
  Batch<ProductJob> batch;
  for (const ProductJob* job : jobs) batch.add(*job, job->tiles());
  plan.launch(kernel, batch, T::THREADS, sizeof(PreconditionShared<T>));
}

inline void precondition_planes(const std::vector<Step>& steps, Plan& plan) {
  using Large = Tiling<SplitHalves, 128, 1, 16>;
  using Small = Tiling<SplitHalves, 64, 3, 16>;
  in_parts(
      steps.size(), 1LL << 30, plan, [&](size_t i, Region& region) { return prepare(steps[i], region); },
      [&](std::vector<PreparedStep>& all) {
        Batch<PlanesJob> transposed, rows, products;
        for (const PreparedStep& p : all) {
          transposed.add(p.g, p.g.blocks());
          rows.add(p.gradient, p.gradient.blocks());
          rows.add(p.a, p.a.blocks());
          products.add(p.product, p.product.blocks());
        }
        plan.launch(planes_kernel<float, Reads::PIXELS>, transposed, PLANES_THREADS, sizeof(PlanesShared));
        plan.launch(planes_kernel<float, Reads::CHANNELS>, rows, PLANES_THREADS, sizeof(PlanesShared));
        launch_products<Large>(left_kernel<Large>, all, &PreparedStep::left, plan);
        launch_products<Small>(left_kernel<Small>, all, &PreparedStep::left, plan);
        plan.launch(planes_kernel<float, Reads::CHANNELS>, products, PLANES_THREADS, sizeof(PlanesShared));
        launch_products<Large>(right_kernel<Large>, all, &PreparedStep::right, plan);
        launch_products<Small>(right_kernel<Small>, all, &PreparedStep::right, plan);
      });
}

}  // namespace
}  // namespace kfac
