// U = scale G^-1 dW A^-1 as two grouped products, all layers and groups in each launch: first G^-1 dW, then U.
#include "precondition_gathered.cuh"
#include "precondition_planes.cuh"
#include "verbs.h"

namespace kfac {
namespace {

long long tiles_of(int out, int columns, int side) {
  return (long long)((out + side - 1) / side) * ((columns + side - 1) / side);
}

// The large tile needs half the loads for each product; it may waste that much on its padding.
bool large(int out, int columns) { return 4 * tiles_of(out, columns, 128) <= 3 * tiles_of(out, columns, 64) / 2; }

// Which algorithm has a request, and the side of its tiles.
bool has_planes(const kfac_precondition_request& q, int math) {
  return math == KFAC_SPLIT_F16 && std::max(q.out / q.groups, q.in + 1) <= MAX_TOKENS;
}
int side_of(const kfac_precondition_request& q, int math) {
  return has_planes(q, math) && large(q.out / q.groups, q.in + (q.bias_gradient != nullptr)) ? 128 : 64;
}

// The groups of a request, whose U has tiles of this side.
void add(const kfac_precondition_request& q, int side, std::vector<Step>& steps, Batch<PartsJob>& totals, Plan& plan) {
  const int columns = q.in + (q.bias_gradient != nullptr), out = q.out / q.groups;
  const long long tiles = tiles_of(out, columns, side), parts = tiles * q.groups;
  const bool measured = q.norms != nullptr;
  auto total = [&](double* sum) {
    double* each = plan.take<double>(parts);
    totals.add({each, sum, parts}, 1);
    return each;
  };
  double* inner = total(q.inner);
  double* multiplied = measured ? total(q.norms) : nullptr;
  double* squares = measured ? total(q.norms + 1) : nullptr;
  for (long long g = 0; g < q.groups; ++g) {
    const long long weights = g * out * q.in, biases = g * out, first = g * tiles;
    steps.push_back({q.g_inverse + g * out * out, q.a_inverse + g * columns * columns, q.weight_gradient + weights,
                     q.bias_gradient ? q.bias_gradient + biases : nullptr, q.weight_result + weights,
                     q.bias_result ? q.bias_result + biases : nullptr, inner + first,
                     measured ? multiplied + first : nullptr, measured ? squares + first : nullptr,
                     measured ? q.g_norms + g : nullptr, measured ? q.a_norms + g : nullptr, out, q.in, columns,
                     q.scale, side});
  }
}

void precondition_gathered(const std::vector<Step>& steps, Plan& plan) {
  using P = Ffma<64>;
  Batch<GatheredJob> batch;
  for (const Step& step : steps)
    batch.add({step, plan.take<float>((long long)step.out * step.columns)}, tiles_of(step.out, step.columns, P::SIDE));
  if (!batch.blocks()) return;
  const Table<GatheredJob> table = plan.table(batch);
  plan.launch(gathered_left_kernel<P>, batch.blocks(), P::THREADS, sizeof(TileShared<P>), table);
  plan.launch(gathered_right_kernel<P>, batch.blocks(), P::THREADS, sizeof(GatheredShared<P>), table);
}

}  // namespace

void precondition(const kfac_precondition_request* requests, int count, int math, Plan& plan) {
  Batch<PartsJob> totals;
  std::vector<Step> planes, gathered;
  for (int i = 0; i < count; ++i)
    add(requests[i], side_of(requests[i], math), has_planes(requests[i], math) ? planes : gathered, totals, plan);
  precondition_gathered(gathered, plan);
  precondition_planes(planes, plan);
  plan.launch(sum_parts_kernel, totals, SUM_THREADS, sizeof(SumShared));
}

}  // namespace kfac
