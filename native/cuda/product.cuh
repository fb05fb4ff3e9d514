// The main loop of every large product: total += L'R over a range of tokens.
//
// Operands are planes of 16-bit numbers (planes.cuh makes them), token by token, so both sides are read the same way:
// 16-byte copies that run while tensor cores work, into stages without bank conflicts, out of them by ldmatrix.trans.
#pragma once
#include "tiling.cuh"
#include "tokens.cuh"

namespace kfac {

// A [row, column] array. Chunks of eight columns are 16-byte aligned; columns that are no multiple of eight are padded
// to one, and whatever the padding holds reaches no result. low is high's second plane, of the same layout.
struct Operand {
  const void *high, *low;
  int pitch;          // bytes of a row
  const float* down;  // what undoes the scales: down[token / SCALE_TOKENS * down_tokens + column / SCALE_COLUMNS]
  int down_tokens;    // 0: one scale for all
};

// One side of a product: the columns of tile number `tile` of an operand.
struct Side {
  const Operand& operand;
  const Columns& columns;
  int tile;
};

// Fetches the stages of both sides, which share tokens.
template <class T, class Map>
class Fetch {
 public:
  __device__ Fetch(const Tokens& tokens, const Side& left, const Side& right, int first, int end, bool same,
                   SharedAddress shared)
      : tokens_(tokens), map_(tokens, first + int(threadIdx.x) / T::TEAM), token_(first + int(threadIdx.x) / T::TEAM),
        same_(same), pitch_{left.operand.pitch, right.operand.pitch} {
    const int row = threadIdx.x / T::TEAM, member = threadIdx.x % T::TEAM;
#pragma unroll
    for (int i = 0; i < T::CHUNKS; ++i) to_[i] = opaque(shared + T::place(row, member + T::TEAM * i));
    place(0, left, end);
    place(1, right, end);
  }

  // Starts the copies of the next DEPTH tokens into the stage that lies `stage` bytes after the first.
  __device__ void next(int stage) {
    operand(0, stage);
    if (!same_) operand(1, stage + T::OPERAND_BYTES);
    commit_copies();
    token_ += T::DEPTH;
    map_.template advance<T::DEPTH>(tokens_);
  }

 private:
  static constexpr int POINTERS = Map::SHIFTED ? T::CHUNKS : 1;  // plain chunks lie at fixed distances
  const Tokens tokens_;
  Map map_;
  int token_;
  bool same_;
  int pitch_[2], end_[2][T::CHUNKS];  // tokens before end are fetched, none for columns that do not exist
  const char* from_[2][POINTERS][2];  // a chunk of row 0 of left and right, high and low
  SharedAddress to_[T::CHUNKS];

  __device__ void place(int which, const Side& side, int end) {
    const Columns& columns = side.columns;
    const Operand& operand = side.operand;
    const int first = side.tile * T::SIDE / 8 + threadIdx.x % T::TEAM;
#pragma unroll
    for (int i = 0; i < T::CHUNKS; ++i) end_[which][i] = 8 * (first + T::TEAM * i) < columns.count ? end : 0;
#pragma unroll
    for (int i = 0; i < POINTERS; ++i) {
      const Chunk chunk = columns.chunk(Map::SHIFTED && end_[which][i] == 0 ? 0 : first + T::TEAM * i);
      const long long bytes = (long long)chunk.shift * operand.pitch + 2LL * chunk.first;
      from_[which][i][0] = opaque(static_cast<const char*>(operand.high) + bytes);
      from_[which][i][1] = opaque(static_cast<const char*>(operand.low) + bytes);
    }
  }
  __device__ void operand(int which, int stage) {
#pragma unroll
    for (int plane = 0; plane < T::Math::PLANES; ++plane)
#pragma unroll
      for (int i = 0; i < T::CHUNKS; ++i) {
        const char* from = row_of(from_[which][Map::SHIFTED ? i : 0][plane], map_.row, pitch_[which]);
        copy_async(to_[i] + stage + plane * T::PLANE_BYTES, from + (Map::SHIFTED ? 0 : 16 * T::TEAM * i),
                   token_ < end_[which][i]);
      }
  }
};

// The most tokens of one product: their scales lie in shared memory, beside stages that leave 3 KB where there are 99.
constexpr int MAX_TRIPS = 512, MAX_TOKENS = MAX_TRIPS * TRIP;

template <class T>
struct ProductShared {
  alignas(128) unsigned char stages[T::SHARED_BYTES];
  float unscale[T::Math::SCALED ? MAX_TRIPS : 1];
};

// What undoes the scales of both operands, for every SCALE_TOKENS of tokens first .. end - 1.
template <class T>
__device__ __forceinline__ void find_scales(const Side& left, const Side& right, int first, int end, float* unscale) {
  auto down = [](const Side& side) {
    return side.operand.down + (side.operand.down_tokens ? side.tile * T::SIDE / SCALE_COLUMNS : 0);
  };
  const float *of_left = down(left), *of_right = down(right);
  for (int i = threadIdx.x; i * T::SCALE_TOKENS < end - first; i += T::THREADS) {
    const int block = first / T::SCALE_TOKENS + i;
    // infinity times 0 would not be 0
    unscale[i] = fminf(
        of_left[(long long)block * left.operand.down_tokens] * of_right[(long long)block * right.operand.down_tokens],
        3.40282347e38f);
  }
}

// Of a pair of groups: total += sum; sum = 0.
template <class T>
__device__ __forceinline__ void promote(int pair, typename T::Sums& sum, float unscale, typename T::Sums& total) {
#pragma unroll
  for (int band = 0; band < T::BANDS; ++band)
#pragma unroll
    for (int group = 2 * pair; group < 2 * pair + 2; ++group)
#pragma unroll
      for (int e = 0; e < 4; ++e) {
        float& t = total[band][group][e];
        t = T::Math::SCALED ? fmaf(sum[band][group][e], unscale, t) : t + sum[band][group][e];
        sum[band][group][e] = 0.0f;
      }
}

// total += sum of the products of tokens first .. end - 1, MAX_TOKENS of them at most; first is a multiple of
// SCALE_TOKENS. same: the sides are one. The stages are free again at the end.
template <class T, class Map>
__device__ __forceinline__ void product(const Tokens& tokens, const Side& left, const Side& right, int first, int end,
                                        bool same, ProductShared<T>& shared, typename T::Sums& total) {
  const SharedAddress base = shared_address(shared.stages);
  Fetch<T, Map> fetch(tokens, left, right, first, end, same, base);
  const Fragments<T> fragments(base, same ? base : base + T::OPERAND_BYTES);
#pragma unroll
  for (int s = 0; s < T::STAGES - 1; ++s) fetch.next(s * T::STAGE_BYTES);
  if constexpr (T::Math::SCALED) find_scales<T>(left, right, first, end, shared.unscale);

  // A step: a stage that is complete is multiplied, while the one before it, which has been read, is filled again.
  typename T::Sums sum = {};
  auto step = [&](int stage, int filled, const float* unscale, int tokens_before) {
    wait_copies<T::STAGES - 2>();
    __syncthreads();
    fetch.next(filled);
#pragma unroll
    for (int at = 0; at < T::DEPTH; at += 16)
      fragments.multiply(stage, at, sum, [&](int pair) {
        if ((tokens_before + at + 16) % T::TERMS == 0) promote<T>(pair, sum, T::Math::SCALED ? *unscale : 1.0f, total);
      });
  };
  const float* unscale = shared.unscale;
  if constexpr (T::TERMS == TRIP) {
#pragma unroll 1
    for (int k = first; k < end; k += TRIP, ++unscale)
#pragma unroll
      for (int s = 0; s < T::STAGES; ++s)
        step(s * T::STAGE_BYTES, (s + T::STAGES - 1) % T::STAGES * T::STAGE_BYTES, unscale, s * T::DEPTH);
  } else {  // more sums on their way to totals at a time would spill
    int stage = 0, filled = (T::STAGES - 1) * T::STAGE_BYTES;
#pragma unroll 1
    for (int k = first; k < end; k += T::DEPTH) {
      step(stage, filled, unscale + (T::Math::SCALED ? (k - first) / T::SCALE_TOKENS : 0), 0);
      filled = stage;
      stage = stage == (T::STAGES - 1) * T::STAGE_BYTES ? 0 : stage + T::STAGE_BYTES;
    }
  }
  wait_copies<0>();
  __syncthreads();  // all have read all
}

}  // namespace kfac
