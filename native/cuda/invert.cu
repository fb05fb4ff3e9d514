// Damped inverses: sorts the matrices by size and plans the launches.
#include <algorithm>
#include "invert_large.cuh"
#include "invert_small.cuh"
#include "invert_table.h"
#include "invert_tiny.cuh"
#include "tile_ffma.cuh"
#include "tile_mma.cuh"
#include "verbs.h"

namespace kfac {
namespace {

// The jobs of one algorithm, of which a block does so many matrices.
Batch<kfac_invert_request> small_jobs(const kfac_invert_request* requests, int count, int algorithm, int together) {
  Batch<kfac_invert_request> batch;
  for (int i = 0; i < count; ++i) {
    const kfac_invert_request& q = requests[i];
    if (algorithm_of(q) == algorithm) batch.add(q, (q.count + together - 1LL) / together);
  }
  return batch;
}

template <class T, int N>
void plan_small(const kfac_invert_request* requests, int count, int algorithm, Plan& plan) {
  using Team = SmallTeam<T, N>;
  const Batch<kfac_invert_request> batch = small_jobs(requests, count, algorithm, Team::TEAMS);
  plan.launch(invert_small_kernel<Team>, batch, Team::THREADS * Team::TEAMS, sizeof(typename Team::AllShared));
}

std::vector<LargeJob> large_jobs(const kfac_invert_request* requests, int count, Plan& plan) {
  std::vector<LargeJob> jobs;
  for (int i = 0; i < count; ++i) {
    const kfac_invert_request& q = requests[i];
    if (algorithm_of(q) != KFAC_INVERT_SWEEP) continue;
    const long long elements = (long long)q.n * q.n, blocks = (q.n + PIVOT - 1) / PIVOT, padded = blocks * PIVOT;
    for (int m = 0; m < q.count; ++m)
      jobs.push_back({q.matrix + m * elements, q.inverse + m * elements, q.status + m,
                      q.dampings ? q.dampings + m : nullptr, q.scale, q.damping, q.n, int(blocks),
                      plan.take<float>(padded * padded), plan.take<float>(padded * Z_PITCH), plan.take<double>(padded),
                      plan.take<float>(PIVOT * PIVOT), nullptr});
  }
  int* states = plan.initial(std::vector<int>(jobs.size(), 0));
  for (LargeJob& job : jobs) job.state = states++;
  // The matrices that still have a pivot block to go are then the first ones.
  std::stable_sort(jobs.begin(), jobs.end(), [](const auto& a, const auto& b) { return a.blocks > b.blocks; });
  return jobs;
}

template <class P>
void plan_large(const std::vector<LargeJob>& jobs, Plan& plan) {
  constexpr int SPLIT = PIVOT / P::SIDE;
  Batch<LargeJob> tiles, panels, crosses, updates, stores;
  for (const LargeJob& job : jobs) {
    tiles.add(job, triangle(job.blocks));
    panels.add(job, job.blocks - 1);
    crosses.add(job, (long long)job.blocks * SPLIT * SPLIT);
    updates.add(job, triangle((long long)job.blocks * SPLIT));
    stores.add(job, mirror_blocks(job.n));
  }
  const Table<LargeJob> panel = plan.table(panels), cross = plan.table(crosses), update = plan.table(updates);
  // The jobs that have this block are the first ones.
  auto live = [&](int block) {
    return std::count_if(jobs.begin(), jobs.end(), [=](const LargeJob& job) { return job.blocks > block; });
  };
  auto launch = [&](auto kernel, const Batch<LargeJob>& batch, Table<LargeJob> table, long long count, int shape,
                    size_t shared, int block) {
    table.count = int(std::min(count, (long long)batch.jobs.size()));  // a single block has no panel
    if (table.count) plan.launch(kernel, batch.first[table.count], shape, shared, table, block);
  };
  auto pivot = [&](int block) {
    plan.launch(factor_kernel, live(block), PIVOT, sizeof(FactorShared), update, block);
    launch(panel_kernel, panels, panel, live(block), PIVOT, sizeof(PanelShared), block);
  };
  plan.launch(load_kernel, tiles, LOAD_THREADS, 0);
  for (int block = 0; block < jobs.front().blocks; block += 2) {
    pivot(block);
    if (live(block + 1)) {
      launch(cross_kernel<P>, crosses, cross, live(block + 1), P::THREADS, sizeof(TileShared<P>), block);
      pivot(block + 1);
    }
    launch(update_kernel<P>, updates, update, live(block), P::THREADS, sizeof(TileShared<P>), block);
  }
  plan.launch(store_kernel, stores, dim3(MIRROR, MIRROR_LINES), sizeof(MirrorShared));
}

}  // namespace

void invert(const kfac_invert_request* requests, int count, int math, Plan& plan) {
  plan.launch(invert_tiny_kernel, small_jobs(requests, count, KFAC_INVERT_FP64_8, TINY_THREADS), TINY_THREADS, 0);
  plan_small<double, 32>(requests, count, KFAC_INVERT_FP64_32, plan);
  plan_small<float, 64>(requests, count, KFAC_INVERT_REGISTERS_64, plan);
  plan_small<float, 128>(requests, count, KFAC_INVERT_REGISTERS_128, plan);
  const std::vector<LargeJob> jobs = large_jobs(requests, count, plan);
  if (jobs.empty()) return;
  if (math == KFAC_FFMA) plan_large<Ffma<64>>(jobs, plan);
  else plan_large<Split<128>>(jobs, plan);
}

}  // namespace kfac
