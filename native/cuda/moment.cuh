// What sums over samples become: target := decay target + weight sum, element by element of a symmetric matrix; and how
// the sums are cut: a block has one tile of the lower triangle over a chunk of the samples. With one chunk it finishes
// the tile itself, else finish_kernel adds the chunks up in order.
#pragma once
#include "mirror.cuh"
#include "plan.h"
#include "tokens.cuh"

namespace kfac {

struct Moment {
  float* target;  // [groups, n, n]
  float weight, decay;
  int n;

  __device__ float& at(long long group, int i, int j) const { return target[(group * n + i) * n + j]; }
  // New value of element (i, j) of a group.
  __device__ float blend(long long group, int i, int j, double sum) const {
    if (decay == 0.0f) return float(weight * sum);
    return float(double(decay) * at(group, max(i, j), min(i, j)) + weight * sum);
  }
  __device__ void put(long long group, int i, int j, double sum) const {
    at(group, i, j) = at(group, j, i) = blend(group, i, j, sum);
  }
};

struct Sums {
  Moment moment;
  Columns order;    // of the columns of tiles
  float* partials;  // [groups, tiles, chunks, side, side], if there are chunks
  int groups, side, tiles, chunks;

  // Of one tile and chunk.
  __device__ float* partial(long long group, int tile, long long chunk) const {
    return partials + ((group * tiles + tile) * chunks + chunk) * (side * side);
  }
  long long blocks() const { return (long long)groups * tiles * chunks; }
  long long elements() const { return blocks() * side * side; }
};

inline long long tiles_of(int n, int side) { return triangle((n + side - 1) / side); }

// Into chunks of so many times `step` samples: for parallelism as many as fit into two waves of 132 multiprocessors,
// but for none shorter than `min_steps`; and none longer than `max_steps`, which the others would wait for. The cut
// depends on the shape alone, so results do not depend on the device. Gives the samples of a chunk.
inline long long cut(Sums& sums, long long samples, int step, int min_steps, int max_steps) {
  constexpr long long WAVES = 2 * 132;
  const long long steps = max(1LL, (samples + step - 1) / step), blocks = (long long)sums.tiles * sums.groups;
  const long long wanted = min((steps + min_steps - 1) / min_steps, max(1LL, WAVES / blocks));
  const long long chunks = max(wanted, (steps + max_steps - 1) / max_steps), each = (steps + chunks - 1) / chunks;
  sums.chunks = int((steps + each - 1) / each);
  return each * step;
}

namespace {

__global__ void finish_kernel(Table<Sums> table) {
  KFAC_SHARED(MirrorShared, shared);
  long long local;
  const Sums& job = table.find(blockIdx.x, local);
  const long long blocks = mirror_blocks(job.order.count), group = local / blocks;
  mirror(
      shared, local % blocks, job.order.count,
      [&](int i, int j) {
        const int from = job.order.natural(i), to = job.order.natural(j);
        if (from < 0 || to < 0) return 0.0f;
        const float* partial =
            job.partial(group, int(triangle(i / job.side, j / job.side)), 0) + i % job.side * job.side + j % job.side;
        double sum = 0.0;
        for (int c = 0; c < job.chunks; ++c) sum += partial[(long long)c * job.side * job.side];
        return job.moment.blend(group, from, to, sum);
      },
      [&](int i, int j, float value) {
        const int from = job.order.natural(i), to = job.order.natural(j);
        if (from >= 0 && to >= 0) job.moment.at(group, from, to) = value;
      });
}

}  // namespace
}  // namespace kfac
