#include "plan.h"
#include "reduce.cuh"
#include "verbs.h"

namespace kfac {
namespace {

__global__ void __launch_bounds__(SUM_THREADS)
    kl_clip_kernel(const double* inners, int count, double kappa, double learning_rate, float* factor) {
  KFAC_SHARED(SumShared, shared);
  double sum = 0.0;
  for (int i = threadIdx.x; i < count; i += SUM_THREADS) sum += inners[i];
  sum = block_sum(sum, shared.partial);
  if (threadIdx.x != 0) return;
  if (sum > 0.0) *factor = float(min(1.0, sqrt(kappa / (learning_rate * learning_rate * sum))));
  else *factor = 1.0f;
  if (!(sum - sum == 0.0)) *factor = float(sum - sum);  // infinite or not a number
}

}  // namespace

void kl_clip(const double* inners, int count, double kappa, double learning_rate, float* factor, Plan& plan) {
  plan.launch(kl_clip_kernel, 1, SUM_THREADS, sizeof(SumShared), inners, count, kappa, learning_rate, factor);
}

}  // namespace kfac
