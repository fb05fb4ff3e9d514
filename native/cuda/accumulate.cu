// Second moments M := beta M + alpha sum x x' over rows that are gathered on the fly.
//
// A block computes one tile of the lower triangle over a chunk of the rows. With one chunk it finishes the tile
// itself, else it stores its sum and finish_kernel adds the chunks up in order.
#include "gather.cuh"
#include "mirror.cuh"
#include "plan.h"
#include "tile.cuh"
#include "tile_ffma.cuh"
#include "tile_fp64.cuh"
#include "tile_mma.cuh"
#include "verbs.h"

namespace kfac {
namespace {

struct Job {
  View view;
  const void* data;
  float* moment;
  float* partial;  // [groups, tiles, chunks, side, side]
  float alpha, beta;
  int groups, side, tiles, chunks;
  long long chunk_rows;
  bool channels_inner;  // the column order inside the kernel is (ky, kx, channel): neighbours are neighbours in NHWC

  __device__ int natural(int j) const { return channels_inner ? view.natural(j) : j; }

  // New value of M[i, j] for the natural indices i and j.
  __device__ float blend(long long group, int i, int j, double sum) const {
    const long long n = view.columns;
    if (beta == 0.0f) return float(alpha * sum);
    return float(double(beta) * moment[group * n * n + max(i, j) * n + min(i, j)] + alpha * sum);
  }
  __device__ void write(long long group, int i, int j, float value) const {
    const long long n = view.columns;
    moment[group * n * n + i * n + j] = value;
  }
};

template <class P>
struct Shared {
  TileShared<P> tile;
  Row rows[P::DEPTH];
  Column columns[2][P::SIDE];
  int natural[2][P::SIDE];  // -1: no column of the matrix
};

template <class T, bool ALONG>
struct Source {
  static constexpr bool ALONG_DEPTH = ALONG;
  const View& view;
  const T* data;
  const Row* rows;
  const Column* columns;
  __device__ float operator()(int column, int k, long long) const {
    return gather(view, data, rows[k], columns[column]);
  }
};

template <class P, class T, bool ALONG>
__global__ void __launch_bounds__(P::THREADS, 1) accumulate_kernel(Table<Job> table) {
  KFAC_SHARED(Shared<P>, shared);
  long long local;
  const Job& job = table.find(blockIdx.x, local);
  const View view = job.view;
  const int tile = int(local % job.tiles), group = int(local / job.tiles % job.groups);
  const long long chunk = local / job.tiles / job.groups;
  const int tile_row = int(triangle_row(tile)), tile_column = int(tile - triangle(tile_row));
  const long long first = chunk * job.chunk_rows;
  const long long depth = min(job.chunk_rows, view.rows - first);

  for (int t = threadIdx.x; t < 2 * P::SIDE; t += P::THREADS) {
    const int side = t / P::SIDE, at = t % P::SIDE, j = (side ? tile_column : tile_row) * P::SIDE + at;
    shared.columns[side][at] = view.column(group, j, job.channels_inner);
    shared.natural[side][at] = j < view.columns ? job.natural(j) : -1;
  }
  auto prepare = [&](long long k) {
    if (threadIdx.x < P::DEPTH)
      shared.rows[threadIdx.x] = k + threadIdx.x < depth ? view.row(first + k + threadIdx.x) : Row{0, OUTSIDE, 0};
  };
  prepare(0);
  __syncthreads();

  const T* data = static_cast<const T*>(job.data);
  Tile<P> sums;
  sums.sum(shared.tile, depth, tile_row == tile_column, Source<T, ALONG>{view, data, shared.rows, shared.columns[0]},
           Source<T, ALONG>{view, data, shared.rows, shared.columns[1]}, prepare);

  if (job.chunks > 1) {
    float* partial = job.partial + (((long long)group * job.tiles + tile) * job.chunks + chunk) * (P::SIDE * P::SIDE);
    P::each([&](int s, int r, int c) { partial[r * P::SIDE + c] = float(sums.total[s]); });
    return;
  }
  P::each([&](int s, int r, int c) {
    const int i = shared.natural[0][r], j = shared.natural[1][c];
    if (i < 0 || j < 0 || (tile_row == tile_column && r < c)) return;
    const float value = job.blend(group, i, j, sums.total[s]);
    job.write(group, i, j, value);
    job.write(group, j, i, value);
  });
}

__global__ void finish_kernel(Table<Job> table) {
  KFAC_SHARED(MirrorShared, shared);
  long long local;
  const Job& job = table.find(blockIdx.x, local);
  const long long blocks = mirror_blocks(job.view.columns), group = local / blocks;
  mirror(
      shared, local % blocks, job.view.columns,
      [&](int i, int j) {
        const long long tile = triangle(i / job.side, j / job.side), elements = (long long)job.side * job.side;
        const float* partial =
            job.partial + (group * job.tiles + tile) * job.chunks * elements + i % job.side * job.side + j % job.side;
        double sum = 0.0;
        for (int c = 0; c < job.chunks; ++c) sum += partial[c * elements];
        return job.blend(group, job.natural(i), job.natural(j), sum);
      },
      [&](int i, int j, float value) { job.write(group, job.natural(i), job.natural(j), value); });
}

// Rows are cut into chunks for parallelism: enough for SPREAD blocks if each keeps at least CHUNK rows. The cut
// depends on the shape alone, so results do not depend on the device.
constexpr long long CHUNK = 2048, SPREAD = 256;

// Few rows make a matrix with a null space, in which rounding is not small: it is divided by the damping. They are
// summed in fp64, which costs little then.
constexpr long long FEW = 256;

void cut_rows(Job& job, int depth) {
  const long long blocks = (long long)job.tiles * job.groups;
  const long long most = (job.view.rows + CHUNK - 1) / CHUNK, wanted = (SPREAD + blocks - 1) / blocks;
  const long long chunks = max(1LL, min(most, wanted)), rows = (job.view.rows + chunks - 1) / chunks;
  job.chunk_rows = max(1LL, (rows + depth - 1) / depth) * depth;
  job.chunks = int(max(1LL, (job.view.rows + job.chunk_rows - 1) / job.chunk_rows));
}

long long tiles_of(int n, int side) { return triangle((n + side - 1) / side); }

// The large tile needs half the loads for each product; it may waste that much on its padding.
bool wants_large_tile(int n) { return 4 * tiles_of(n, 128) <= 3 * tiles_of(n, 64) / 2; }

class Planner {
 public:
  explicit Planner(Plan& plan) : plan_(plan) {}

  // Adds the requests that the kernels of this policy are for.
  template <class P, class T, class Wanted>
  void add(const kfac_accumulate_request* requests, int count, const Wanted& wanted) {
    Batch<Job> along_rows, along_columns;
    for (int i = 0; i < count; ++i) {
      const kfac_accumulate_request& q = requests[i];
      Job job{View(q.samples),  q.samples.data, q.target, nullptr, q.weight, q.decay,
              q.samples.groups, P::SIDE,        0,        0,       0,        false};
      if (!wanted(q, job.view)) continue;
      job.tiles = int(tiles_of(job.view.columns, P::SIDE));
      cut_rows(job, P::DEPTH);
      const bool positions = job.view.out_height > 1 || job.view.out_width > 1;
      const bool along = positions && (q.samples.channel_stride != 1 || q.samples.x_stride == 1);
      job.channels_inner = !along && job.view.taps() > 1;
      const long long blocks = (long long)job.tiles * job.groups * job.chunks;
      if (job.chunks > 1) {
        job.partial = plan_.take<float>(blocks * P::SIDE * P::SIDE);
        finish_.add(job, mirror_blocks(job.view.columns) * job.groups);
      }
      (along ? along_rows : along_columns).add(job, blocks);
    }
    plan_.launch(accumulate_kernel<P, T, true>, along_rows, P::THREADS, sizeof(Shared<P>));
    plan_.launch(accumulate_kernel<P, T, false>, along_columns, P::THREADS, sizeof(Shared<P>));
  }
  void finish() { plan_.launch(finish_kernel, finish_, dim3(MIRROR, MIRROR_LINES), sizeof(MirrorShared)); }

 private:
  Plan& plan_;
  Batch<Job> finish_;
};

}  // namespace

void accumulate(const kfac_accumulate_request* requests, int count, int math, Plan& plan) {
  using Request = kfac_accumulate_request;
  Planner planner(plan);
  auto few = [](int dtype) {
    return [=](const Request& q, const View& view) { return q.samples.dtype == dtype && view.rows <= FEW; };
  };
  auto tensor = [&](int dtype, bool large) {
    return [=](const Request& q, const View& view) {
      return q.samples.dtype == dtype && (dtype != KFAC_F32 || math == KFAC_SPLIT_F16) && view.rows > FEW &&
             wants_large_tile(view.columns) == large;
    };
  };
  planner.add<Fp64<64>, float>(requests, count, few(KFAC_F32));
  planner.add<Fp64<64>, Bfloat>(requests, count, few(KFAC_BF16));
  planner.add<Fp64<64>, Half>(requests, count, few(KFAC_F16));
  planner.add<Split<128>, float>(requests, count, tensor(KFAC_F32, true));
  planner.add<Split<64>, float>(requests, count, tensor(KFAC_F32, false));
  planner.add<Exact<Bfloat, 128>, Bfloat>(requests, count, tensor(KFAC_BF16, true));
  planner.add<Exact<Bfloat, 64>, Bfloat>(requests, count, tensor(KFAC_BF16, false));
  planner.add<Exact<Half, 128>, Half>(requests, count, tensor(KFAC_F16, true));
  planner.add<Exact<Half, 64>, Half>(requests, count, tensor(KFAC_F16, false));
  planner.add<Ffma<64>, float>(requests, count, [=](const Request& q, const View& view) {
    return q.samples.dtype == KFAC_F32 && math == KFAC_FFMA && view.rows > FEW;
  });
  planner.finish();
}

}  // namespace kfac
