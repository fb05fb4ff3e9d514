// |A Q - Q diag(w)| against |A|, Frobenius: sums of squares of each block, then a verdict for each matrix.
#include "elements.cuh"
#include "reduce.cuh"
#include "verbs.h"

namespace kfac {
namespace {

constexpr double EPSILON = 1.0 / (1LL << 52);

struct Sums {
  double residual, norm;
};

struct Shared {
  SumShared residual, norm, too_large;
};

struct Job {
  kfac_eigen_check_request request;
  Sums* parts;  // [count, blocks]
  long long blocks;
};

__global__ void __launch_bounds__(ELEMENT_THREADS) residual_kernel(Table<Job> table) {
  KFAC_SHARED(Shared, shared);
  long long local;
  const Job& job = table.find(blockIdx.x, local);
  const kfac_eigen_check_request& q = job.request;
  const long long matrix = local / job.blocks, elements = (long long)q.n * q.n;
  if (q.status[matrix] != KFAC_MATRIX_OK || q.infos[matrix] != 0) return;
  const double *a = q.matrix + matrix * elements, *vectors = q.vectors + matrix * elements,
               *products = q.products + matrix * elements, *values = q.values + matrix * q.n;
  Sums sums{0.0, 0.0};
  each_element(local % job.blocks, elements, [&](long long i) {
    const double r = products[i] - values[i / q.n] * vectors[i];
    sums.residual += r * r;
    sums.norm += a[i] * a[i];
  });
  sums.residual = block_sum(sums.residual, shared.residual.partial);
  sums.norm = block_sum(sums.norm, shared.norm.partial);
  if (threadIdx.x == 0) job.parts[local] = sums;
}

__global__ void __launch_bounds__(SUM_THREADS) verdict_kernel(Table<Job> table) {
  KFAC_SHARED(Shared, shared);
  long long matrix;
  const Job& job = table.find(blockIdx.x, matrix);
  const kfac_eigen_check_request& q = job.request;
  if (q.status[matrix] != KFAC_MATRIX_OK) return;
  if (q.infos[matrix] != 0) {
    if (threadIdx.x == 0) q.status[matrix] = KFAC_MATRIX_NOT_CONVERGED;
    return;
  }
  Sums sums{0.0, 0.0};
  for (long long b = threadIdx.x; b < job.blocks; b += SUM_THREADS) {
    sums.residual += job.parts[matrix * job.blocks + b].residual;
    sums.norm += job.parts[matrix * job.blocks + b].norm;
  }
  double too_large = 0.0;
  for (int i = threadIdx.x; i < q.n; i += SUM_THREADS)
    if (fabs(q.values[matrix * q.n + i]) > q.largest) too_large = 1.0;
  sums.residual = block_sum(sums.residual, shared.residual.partial);
  sums.norm = block_sum(sums.norm, shared.norm.partial);
  too_large = block_sum(too_large, shared.too_large.partial);
  if (threadIdx.x != 0) return;
  // What is not a number is not less.
  if (!(sqrt(sums.residual) <= 10.0 * q.n * EPSILON * sqrt(sums.norm))) q.status[matrix] = KFAC_MATRIX_NOT_CONVERGED;
  else if (too_large > 0.0) q.status[matrix] = KFAC_MATRIX_NOT_FINITE;
}

}  // namespace

void eigen_check(const kfac_eigen_check_request* requests, int count, Plan& plan) {
  static_assert(ELEMENT_THREADS == SUM_THREADS, "the sum over a block has room for its warps");
  Batch<Job> residuals, verdicts;
  for (int i = 0; i < count; ++i) {
    const kfac_eigen_check_request& q = requests[i];
    const long long blocks = element_blocks((long long)q.n * q.n);
    const Job job{q, plan.take<Sums>(q.count * blocks), blocks};
    residuals.add(job, q.count * blocks);
    verdicts.add(job, q.count);
  }
  plan.launch(residual_kernel, residuals, ELEMENT_THREADS, sizeof(Shared));
  plan.launch(verdict_kernel, verdicts, SUM_THREADS, sizeof(Shared));
}

}  // namespace kfac
