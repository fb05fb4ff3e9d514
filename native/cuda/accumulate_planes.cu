#include "accumulate_planes.h"
#include "accumulate_shifts.cuh"
#include "layout.h"

namespace kfac {
namespace {

struct Job {
  Operand samples;        // of the first group
  long long group_bytes;  // from one group to the next
  int group_downs;
  Tokens tokens;
  Sums sums;
  int chunk_tokens;
};

template <class T>
union Shared {
  ProductShared<T> product;
  int natural[2][T::SIDE];  // -1: no column of the matrix
};

template <class T, class Map>
__global__ void __launch_bounds__(T::THREADS, T::BLOCKS) accumulate_kernel(Table<Job> table) {
  KFAC_SHARED(Shared<T>, shared);
  long long local;
  const Job& job = table.find(blockIdx.x, local);
  const Sums& sums = job.sums;
  const int tile = int(local % sums.tiles), group = int(local / sums.tiles % sums.groups);
  const int chunk = int(local / sums.tiles / sums.groups);
  const int tile_row = int(triangle_row(tile)), tile_column = int(tile - triangle(tile_row));
  const int first = chunk * job.chunk_tokens, end = min(first + job.chunk_tokens, job.tokens.count);
  Operand samples = job.samples;
  samples.high = static_cast<const char*>(samples.high) + group * job.group_bytes;
  samples.low = static_cast<const char*>(samples.low) + group * job.group_bytes;
  samples.down += group * job.group_downs;

  typename T::Sums total = {};
  product<T, Map>(job.tokens, {samples, sums.order, tile_row}, {samples, sums.order, tile_column}, first, end,
                  tile_row == tile_column, shared.product, total);

  if (sums.chunks > 1) {
    float* partial = sums.partial(group, tile, chunk);
    T::each(total, [&](float sum, int r, int c) { partial[r * T::SIDE + c] = sum; });
    return;
  }
  for (int t = threadIdx.x; t < 2 * T::SIDE; t += T::THREADS) {
    const int side = t / T::SIDE, j = (side ? tile_column : tile_row) * T::SIDE + t % T::SIDE;
    shared.natural[side][t % T::SIDE] = j < sums.order.count ? sums.order.natural(j) : -1;
  }
  __syncthreads();
  T::each(total, [&](float sum, int r, int c) {
    const int i = shared.natural[0][r], j = shared.natural[1][c];
    if (i >= 0 && j >= 0 && (tile_row != tile_column || r >= c)) sums.moment.put(group, i, j, sum);
  });
}

struct Prepared {
  Job job;
  PlanesJob planes;
  Layout layout;
  int dtype;
  std::optional<PreparedShifts> shifts;
};

// The samples as an operand, and the job that makes planes of them.
void prepare_samples(const kfac_samples& s, Prepared& p, Region& region, unsigned* peak) {
  const Layout& layout = p.layout;
  const bool split = s.dtype == KFAC_F32;
  const View& rows = layout.view;
  Operand& samples = p.job.samples;
  samples.pitch = int(2 * layout.pitch);
  if (layout.direct) {
    samples.high = samples.low = s.data;
    p.job.group_bytes = 2LL * rows.channels;
    return;
  }
  const long long numbers = s.groups * rows.rows * layout.pitch;
  PlanesJob& planes = p.planes;
  planes = {rows,    s.data,   region.take<Half>(numbers), nullptr,      nullptr,
            nullptr, s.groups, int(layout.pitch),          layout.width, layout.one,
            nullptr};
  planes.low = split ? region.take<Half>(numbers) : planes.high;
  planes.down = split ? region.take<float>(planes.blocks()) : nullptr;
  planes.peak = split && layout.shifted() ? peak : nullptr;
  samples.high = planes.high, samples.low = planes.low, samples.down = planes.down;
  samples.down_tokens = planes.peak ? 0 : planes.column_blocks();
  p.job.group_bytes = 2 * rows.rows * layout.pitch;
  p.job.group_downs = planes.peak ? 0 : planes.token_blocks() * planes.column_blocks();
}

Prepared prepare(const kfac_accumulate_request& q, Region& region, unsigned* peak) {
  Prepared p{};
  const Layout& layout = p.layout = layout_of(q.samples);
  p.dtype = q.samples.dtype;
  prepare_samples(q.samples, p, region, peak);
  if (layout.shifts) {
    p.shifts = prepare_shifts(q, View(q.samples), p.job.samples, region);
    return p;
  }
  p.job.tokens = layout.tokens;
  const int side = side_of_moment(layout.columns.count);
  p.job.sums = {{q.target, q.weight, q.decay, View(q.samples).columns},
                layout.columns,
                nullptr,
                q.samples.groups,
                side,
                int(tiles_of(layout.columns.count, side)),
                0};
  p.job.chunk_tokens = int(cut(p.job.sums, layout.tokens.count, TRIP, 5, 42));
  static_assert(42 <= MAX_TRIPS);
  if (p.job.sums.chunks > 1) p.job.sums.partials = region.take<float>(p.job.sums.elements());
  return p;
}

template <class T, Reads READS>
void launch_planes(const std::vector<Prepared>& all, int dtype, Plan& plan) {
  Batch<PlanesJob> batch, peaks;
  for (const Prepared& p : all) {
    if (p.dtype != dtype || p.layout.direct || p.layout.reads != READS) continue;
    batch.add(p.planes, p.planes.blocks());
    if (p.planes.peak) peaks.add(p.planes, p.planes.blocks());
  }
  if constexpr (sizeof(T) == 4 && READS != Reads::PATCHES) plan.launch(peak_kernel<READS>, peaks, PLANES_THREADS, 0);
  plan.launch(planes_kernel<T, READS>, batch, PLANES_THREADS, sizeof(PlanesShared));
}

template <class T, class Map>
void launch_products(const std::vector<Prepared>& all, int dtype, Plan& plan) {
  Batch<Job> batch;
  for (const Prepared& p : all)
    if (p.dtype == dtype && !p.shifts && p.layout.shifted() == Map::SHIFTED && p.job.sums.side == T::SIDE)
      batch.add(p.job, p.job.sums.blocks());
  plan.launch(accumulate_kernel<T, Map>, batch, T::THREADS, sizeof(Shared<T>));
}

constexpr int ANY_DTYPE = -1;

std::vector<const PreparedShifts*> shifts_of(const std::vector<Prepared>& all, int dtype) {
  std::vector<const PreparedShifts*> shifts;
  for (const Prepared& p : all)
    if (p.shifts && (dtype == ANY_DTYPE || p.dtype == dtype)) shifts.push_back(&*p.shifts);
  return shifts;
}

template <class T, class Math>
void launch(const std::vector<Prepared>& all, int dtype, Plan& plan) {
  launch_planes<T, Reads::CHANNELS>(all, dtype, plan);
  launch_planes<T, Reads::PIXELS>(all, dtype, plan);
  launch_planes<T, Reads::PATCHES>(all, dtype, plan);
  launch_products<Tiling<Math, 128, 1>, Plain>(all, dtype, plan);
  launch_products<Tiling<Math, 128, 1>, Window>(all, dtype, plan);
  launch_products<Tiling<Math, 64, 3>, Plain>(all, dtype, plan);
  launch_products<Tiling<Math, 64, 3>, Window>(all, dtype, plan);
  launch_correlations<Tiling<Math, 128, 1>>(shifts_of(all, dtype), plan);
  launch_correlations<Tiling<Math, 64, 3>>(shifts_of(all, dtype), plan);
}

}  // namespace

bool has_planes(const kfac_accumulate_request& q) {
  const Layout layout = layout_of(q.samples);
  const long long bytes = (q.samples.dtype == KFAC_F32 ? 4 : 2) * q.samples.groups * layout.view.rows * layout.pitch;
  return layout.view.rows <= MAX_ROWS && View(q.samples).rows <= MAX_ROWS &&
         (layout.direct || layout.reads != Reads::PATCHES || bytes <= MAX_PATCH_BYTES);
}

// Planes take as much memory as the samples.
void accumulate_planes(const std::vector<kfac_accumulate_request>& requests, Plan& plan) {
  unsigned* peaks = plan.initial(std::vector<unsigned>(requests.size(), 0u));
  in_parts(
      requests.size(), 2LL << 30, plan,
      [&](size_t i, Region& region) { return prepare(requests[i], region, peaks + i); },
      [&](std::vector<Prepared>& all) {
        // Where blocks take longest first, the last ones are short.
        std::stable_sort(all.begin(), all.end(),
                         [](const Prepared& a, const Prepared& b) { return a.job.chunk_tokens > b.job.chunk_tokens; });
        launch<float, SplitHalves>(all, KFAC_F32, plan);
        launch<Bfloat, Exact16<Bfloat>>(all, KFAC_BF16, plan);
        launch<Half, Exact16<Half>>(all, KFAC_F16, plan);
        launch_assembly(shifts_of(all, ANY_DTYPE), plan);
        Batch<Sums> finish;
        for (const Prepared& p : all)
          if (p.job.sums.chunks > 1) finish.add(p.job.sums, mirror_blocks(p.job.sums.order.count) * p.job.sums.groups);
        plan.launch(finish_kernel, finish, dim3(MIRROR, MIRROR_LINES), sizeof(MirrorShared));
      });
}

}  // namespace kfac
