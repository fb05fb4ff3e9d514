// Damped inverses: sorts the matrices by size and plans the launches.
#include <algorithm>
#include "invert_large.cuh"
#include "invert_small.cuh"
#include "invert_table.h"
#include "invert_tiled.cuh"
#include "invert_tiny.cuh"
#include "tile_ffma.cuh"
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

template <int N>
void plan_tiled(const kfac_invert_request* requests, int count, int algorithm, Plan& plan) {
  using Team = TiledTeam<N>;
  plan.launch(invert_tiled_kernel<Team>, small_jobs(requests, count, algorithm, Team::TEAMS),
              Team::THREADS * Team::TEAMS, sizeof(typename Team::AllShared));
}

std::vector<LargeJob> large_jobs(const kfac_invert_request* requests, int count, bool planes, Plan& plan) {
  std::vector<LargeJob> jobs;
  for (int i = 0; i < count; ++i) {
    const kfac_invert_request& q = requests[i];
    if (algorithm_of(q) != KFAC_INVERT_SWEEP) continue;
    const long long elements = (long long)q.n * q.n, blocks = (q.n + PIVOT - 1) / PIVOT, padded = blocks * PIVOT;
    for (int m = 0; m < q.count; ++m)
      jobs.push_back({q.matrix + m * elements, q.inverse + m * elements, q.status + m,
                      q.dampings ? q.dampings + m : nullptr, q.scale, q.damping, q.n, int(blocks),
                      plan.take<float>(padded * padded), plan.take<float>(padded * 2 * PIVOT),
                      planes ? Operand{plan.take<Half>(padded * 2 * PIVOT), plan.take<Half>(padded * 2 * PIVOT),
                                       int(2 * padded), plan.take<float>(2 * blocks), int(blocks)}
                             : Operand{},
                      plan.take<double>(padded), plan.take<float>(PIVOT * PIVOT), nullptr});
  }
  int* states = plan.initial(std::vector<int>(jobs.size(), 0));
  for (LargeJob& job : jobs) job.state = states++;
  // The matrices that still have a pivot block to go are then the first ones.
  std::stable_sort(jobs.begin(), jobs.end(), [](const auto& a, const auto& b) { return a.blocks > b.blocks; });
  return jobs;
}

// The planes of the columns of z of a block.
PlanesJob planes_of(const LargeJob& job, int block) {
  const int half = block % 2, columns = int(job.pitch());
  const auto moved = [&](const void* plane) { return (Half*)plane + (long long)half * PIVOT * columns; };
  PlanesJob planes{};
  planes.view = matrix_view(PIVOT, columns, columns, 1);
  planes.data = job.z + (long long)half * PIVOT * columns;
  planes.high = moved(job.planes.high), planes.low = moved(job.planes.low);
  planes.down = const_cast<float*>(job.planes.down) + half * job.planes.down_tokens;
  planes.groups = 1, planes.pitch = planes.columns = columns, planes.one = -1;
  return planes;
}

template <class P>
void plan_large(const std::vector<LargeJob>& jobs, Plan& plan) {
  constexpr int SPLIT = PIVOT / P::SIDE;
  constexpr bool PLANES = std::is_same_v<P, OnPlanes>;
  constexpr size_t SHARED = sizeof(typename Update<P>::Shared);
  Batch<LargeJob> tiles, panels, crosses, updates, stores;
  Batch<PlanesJob> planes[2];
  for (const LargeJob& job : jobs) {
    tiles.add(job, triangle(job.blocks));
    panels.add(job, job.blocks);
    crosses.add(job, (long long)job.blocks * SPLIT * SPLIT);
    updates.add(job, triangle((long long)job.blocks * SPLIT));
    stores.add(job, mirror_blocks(job.n));
    for (int half = 0; half < 2 && PLANES; ++half) planes[half].add(planes_of(job, half), 1);
  }
  const Table<LargeJob> panel = plan.table(panels), cross = plan.table(crosses), update = plan.table(updates);
  // The jobs that have this block are the first ones.
  auto live = [&](int block) {
    return std::count_if(jobs.begin(), jobs.end(), [=](const LargeJob& job) { return job.blocks > block; });
  };
  // For the matrices that have this block, and so many blocks of threads more.
  auto launch = [&](auto kernel, const auto& batch, auto table, int block, int more, int shape, size_t shared,
                    auto... rest) {
    table.count = int(live(block));
    plan.launch(kernel, batch.first[table.count] + more, shape, shared, table, rest...);
  };
  const Table<PlanesJob> to_planes[2] = {plan.table(planes[0]), plan.table(planes[1])};
  auto factor = [&](int block) { plan.launch(factor_kernel, live(block), PIVOT, sizeof(FactorShared), update, block); };
  auto finish = [&](int block) {
    launch(panel_kernel<PLANES>, panels, panel, block, 0, PIVOT, sizeof(PanelShared), to_planes[block % 2], block);
  };
  plan.launch(load_kernel, tiles, LOAD_THREADS, 0);
  factor(0);
  for (int block = 0; block < jobs.front().blocks; block += 2) {
    finish(block);
    if (live(block + 1)) {
      launch(cross_kernel<P>, crosses, cross, block + 1, 0, P::THREADS, SHARED, block);
      factor(block + 1);
      finish(block + 1);
    }
    const int next = int(live(block + 2)), factors = PLANES ? next : 0;
    if (factors) plan.launch(corner_kernel, factors, P::THREADS, sizeof(Update<OnPlanes>::Shared), update, block);
    launch(update_kernel<P>, updates, update, block, factors, P::THREADS,
           PLANES ? sizeof(UpdateAndFactorShared) : SHARED, block, factors);
    if (next && !PLANES) factor(block + 2);
  }
  plan.launch(store_kernel, stores, dim3(MIRROR, MIRROR_LINES), sizeof(MirrorShared));
}

}  // namespace

void invert(const kfac_invert_request* requests, int count, int math, Plan& plan) {
  plan.launch(invert_tiny_kernel, small_jobs(requests, count, KFAC_INVERT_FP64_8, TINY_THREADS), TINY_THREADS, 0);
  plan.launch(invert_small_kernel, small_jobs(requests, count, KFAC_INVERT_FP64_32, SMALL_WARPS), 32 * SMALL_WARPS,
              sizeof(SmallShared[SMALL_WARPS]));
  plan_tiled<64>(requests, count, KFAC_INVERT_REGISTERS_64, plan);
  plan_tiled<128>(requests, count, KFAC_INVERT_REGISTERS_128, plan);
  const std::vector<LargeJob> jobs = large_jobs(requests, count, math != KFAC_FFMA, plan);
  if (jobs.empty()) return;
  if (math == KFAC_FFMA) plan_large<Ffma<64>>(jobs, plan);
  else plan_large<OnPlanes>(jobs, plan);
}

}  // namespace kfac
