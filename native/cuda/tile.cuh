// One SIDE x SIDE tile of L R': the inner loop of every large product in this library.
//
// A source gives fp32 values source(row, k), 0 outside its matrix, and says in ALONG_DEPTH whether neighbouring
// threads should take neighbouring k (true) or neighbouring rows (false: at least eight, as row_across and k_across of
// the policy say), so that its reads are coalesced.
// A policy P multiplies two panels of DEPTH columns and adds the sums to totals held in registers, fp32 or fp64 as its
// Sum says: tensor cores truncate their own sums, and a single fp32 sum of very many terms drifts.
#pragma once
#include "number.cuh"

namespace kfac {

// A power of two that brings values into the fp16 range with 2 bits to spare; it changes only when it must.
class Scale {
 public:
  float up = 1.0f, down = 1.0f;

  // peak: bits of the largest finite magnitude of the values to come.
  __device__ void fit(unsigned peak) {
    if (peak <= limit_) return;
    const unsigned exponent = max(peak >> 23, SMALLEST);
    up = __uint_as_float((267u - exponent) << 23);
    down = __uint_as_float((exponent - 13u) << 23);
    limit_ = ((exponent + 2u) << 23) - 1u;
  }

 private:
  static constexpr unsigned SMALLEST = 66;  // 2^-61: the product of two scales then stays above 2^-149
  unsigned limit_ = 0;
};

__device__ __forceinline__ unsigned finite_magnitude(float x) {
  const unsigned bits = __float_as_uint(x) & 0x7fffffffu;
  return bits < 0x7f800000u ? bits : 0u;
}

template <class P>
struct TileShared {
  typename P::Panel left, right;
  unsigned peak[2][P::THREADS / 32];
};

struct NoPreparation {
  __device__ void operator()(long long) const {}
};

template <class P>
class Tile {
 public:
  typename P::Sum total[P::SUMS] = {};

  // total[i] += sum over k < depth of left(row, k) right(column, k), where P::each names row and column of i.
  // same: the two sources are one. prepare(k) is called a barrier ahead of the first read of k .. k + DEPTH - 1.
  template <class Left, class Right, class Prepare>
  __device__ void sum(TileShared<P>& shared, long long depth, bool same, const Left& left, const Right& right,
                      const Prepare& prepare) {
    float from_left[FETCH], from_right[FETCH];
    Scale left_scale, right_scale;
    fetch(left, 0, from_left);
    if (!same) fetch(right, 0, from_right);
    for (long long k = 0; k < depth; k += P::DEPTH) {
      if constexpr (P::SCALED) {
        publish(shared.peak[0], from_left);
        if (!same) publish(shared.peak[1], from_right);
      }
      __syncthreads();  // the last multiply is over, the peaks are known
      if constexpr (P::SCALED) {
        left_scale.fit(largest(shared.peak[0]));
        if (same) right_scale = left_scale;
        else right_scale.fit(largest(shared.peak[1]));
      }
      store(shared.left, left, from_left, left_scale);
      if (!same) store(shared.right, right, from_right, right_scale);
      if (k + P::DEPTH < depth) prepare(k + P::DEPTH);
      __syncthreads();  // the panels are complete
      if (k + P::DEPTH < depth) {
        fetch(left, k + P::DEPTH, from_left);
        if (!same) fetch(right, k + P::DEPTH, from_right);
      }
      const float unscale = min(left_scale.down * right_scale.down, LARGEST);  // 0 times infinity would not be 0
      P::multiply(shared.left, same ? shared.left : shared.right, unscale, total);
    }
  }

 private:
  static constexpr int FETCH = P::SIDE * P::DEPTH / P::THREADS;
  static constexpr float LARGEST = 3.40282347e38f;
  static_assert(P::THREADS % P::DEPTH == 0, "a thread keeps its k");

  template <class Source, class Visit>
  __device__ static void positions(const Source&, const Visit& visit) {
    const int t = threadIdx.x;
#pragma unroll
    for (int i = 0; i < FETCH; ++i) {
      if constexpr (Source::ALONG_DEPTH) visit(i, t / P::DEPTH + P::THREADS / P::DEPTH * i, t % P::DEPTH);
      else visit(i, P::row_across(i), P::k_across(i));
    }
  }
  template <class Source>
  __device__ static void fetch(const Source& source, long long first, float (&into)[FETCH]) {
    positions(source, [&](int i, int row, int k) { into[i] = source(row, k, first); });
  }
  template <class Source>
  __device__ static void store(typename P::Panel& panel, const Source& source, const float (&from)[FETCH],
                               const Scale& scale) {
    positions(source, [&](int i, int row, int k) { panel.put(row, k, P::SCALED ? from[i] * scale.up : from[i]); });
  }
  __device__ static void publish(unsigned* peak, const float (&values)[FETCH]) {
    unsigned mine = 0;
#pragma unroll
    for (int i = 0; i < FETCH; ++i) mine = max(mine, finite_magnitude(values[i]));
    mine = __reduce_max_sync(~0u, mine);
    if (threadIdx.x % 32 == 0) peak[threadIdx.x / 32] = mine;
  }
  __device__ static unsigned largest(const unsigned* peak) {
    unsigned most = 0;
#pragma unroll
    for (int w = 0; w < P::THREADS / 32; ++w) most = max(most, peak[w]);
    return most;
  }
};

}  // namespace kfac
