// Moments of convolutions of stride 1 by shifts.h: plans the sums of each request, and the launches of all.
#pragma once
#include <optional>
#include "correlate.cuh"
#include "region.h"

namespace kfac {
namespace {

struct PreparedShifts {
  Shifts shifts;
  std::vector<CorrelateJob> jobs;
  std::vector<Correlation> sums;  // [ranges of rows, ranges of columns]
  AssembleJob assemble;
};

// pixels: [images, height, width] rows of channels.
PreparedShifts prepare_shifts(const kfac_accumulate_request& q, const View& view, const Operand& pixels,
                              Region& region) {
  static_assert(trips_of(TRIP) == 1 && trips_of(TRIP + 1) == 2);
  PreparedShifts p{Shifts(view, q.samples.batch, q.samples.bias), {}, {}, {}};
  const Shifts& shifts = p.shifts;
  const int side = side_of(shifts), columns = int(shifts.columns.ranges.size());
  p.sums.resize(shifts.rows.ranges.size() * columns);
  // As in cut(): two waves of 132 multiprocessors, of chunks of 5 to 42 trips.
  long long trips = 0;
  shifts.each([&](int r, int c) {
    const Range &row = shifts.rows.ranges[r], &column = shifts.columns.ranges[c];
    trips += shifts.tiles(Shifts::symmetric(row, column), side) * trips_of(shifts.tokens(row, column));
  });
  const long long max_trips = std::clamp((trips + 263) / 264, 5LL, 42LL);
  shifts.each([&](int r, int c) {
    const Range &row = shifts.rows.ranges[r], &column = shifts.columns.ranges[c];
    const bool symmetric = Shifts::symmetric(row, column);
    const long long all = trips_of(shifts.tokens(row, column)), cuts = (all + max_trips - 1) / max_trips,
                    each = (all + cuts - 1) / cuts, chunks = (all + each - 1) / each;
    const auto at = [&](int y, int x) {
      Operand moved = pixels;
      const long long bytes = ((long long)y * view.width + x) * pixels.pitch;
      moved.high = static_cast<const char*>(pixels.high) + bytes;
      moved.low = static_cast<const char*>(pixels.low) + bytes;
      return moved;
    };
    const Correlation sum{region.take<float>(shifts.tiles(symmetric, side) * chunks * side * side), int(chunks),
                          symmetric};
    p.sums[size_t(r) * columns + c] = sum;
    p.jobs.push_back({at(row.first, column.first), at(row.first + row.shift, column.first + column.shift),
                      Tokens::rectangle(int(shifts.tokens(row, column)), column.count, row.count, 1, view.width,
                                        view.width * view.height, TOKEN_STEP),
                      shifts.width(symmetric), int(each * TRIP), sum});
  });
  p.assemble = {{q.target, q.weight, q.decay, view.columns},
                nullptr,
                nullptr,
                nullptr,
                view.kernel_height,
                view.kernel_width,
                columns,
                view.channels,
                side,
                double(view.rows)};
  return p;
}

template <class T>
void launch_correlations(const std::vector<const PreparedShifts*>& all, Plan& plan) {
  std::vector<const CorrelateJob*> jobs;
  for (const PreparedShifts* p : all)
    if (p->assemble.side == T::SIDE)
      for (const CorrelateJob& job : p->jobs) jobs.push_back(&job);
  // Where blocks take longest first, the last ones are short.
  std::stable_sort(jobs.begin(), jobs.end(),
                   [](const auto* a, const auto* b) { return a->chunk_tokens > b->chunk_tokens; });
  Batch<CorrelateJob> batch;
  for (const CorrelateJob* job : jobs) {
    const long long across = (job->columns + T::SIDE - 1) / T::SIDE;
    batch.add(*job, (job->sums.symmetric ? triangle(across) : across * across) * job->sums.chunks);
  }
  plan.launch(correlate_kernel<T>, batch, T::THREADS, sizeof(ProductShared<T>));
}

void launch_assembly(const std::vector<const PreparedShifts*>& all, Plan& plan) {
  if (all.empty()) return;
  std::vector<Correlation> sums;
  std::vector<int> of;
  const auto append = [](auto& to, const auto& from) {
    to.insert(to.end(), from.begin(), from.end());
    return to.size() - from.size();
  };
  std::vector<size_t> offsets;
  for (const PreparedShifts* p : all)
    for (size_t offset : {append(sums, p->sums), append(of, p->shifts.rows.of), append(of, p->shifts.columns.of)})
      offsets.push_back(offset);
  const Correlation* all_sums = plan.initial(sums);
  const int* all_of = plan.initial(of);
  Batch<AssembleJob> batch;
  for (size_t i = 0; i < all.size(); ++i) {
    AssembleJob job = all[i]->assemble;
    job.sums = all_sums + offsets[3 * i], job.rows = all_of + offsets[3 * i + 1],
    job.columns = all_of + offsets[3 * i + 2];
    batch.add(job, mirror_blocks(job.moment.n));
  }
  plan.launch(assemble_kernel, batch, dim3(MIRROR, MIRROR_LINES), sizeof(MirrorShared));
}

}  // namespace
}  // namespace kfac
