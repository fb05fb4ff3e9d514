// One SIDE x SIDE tile of L R' whose operands are gathered: in plain fp32 or fp64.
//
// A source gives fp32 values source(row, k), 0 outside its matrix, and says in ALONG_DEPTH whether neighbouring
// threads should take neighbouring k (true) or neighbouring rows (false: at least eight, as row_across and k_across of
// the policy say), so that its reads are coalesced.
// A policy P multiplies two panels of DEPTH columns and adds the sums to totals held in registers, fp32 or fp64 as its
// Sum says: a single fp32 sum of very many terms drifts.
#pragma once
#include "number.cuh"

namespace kfac {

template <class P>
struct TileShared {
  typename P::Panel left, right;
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
    fetch(left, 0, from_left);
    if (!same) fetch(right, 0, from_right);
    for (long long k = 0; k < depth; k += P::DEPTH) {
      __syncthreads();  // the last multiply is over
      store(shared.left, left, from_left);
      if (!same) store(shared.right, right, from_right);
      if (k + P::DEPTH < depth) prepare(k + P::DEPTH);
      __syncthreads();  // the panels are complete
      if (k + P::DEPTH < depth) {
        fetch(left, k + P::DEPTH, from_left);
        if (!same) fetch(right, k + P::DEPTH, from_right);
      }
      P::multiply(shared.left, same ? shared.left : shared.right, total);
    }
  }

 private:
  static constexpr int FETCH = P::SIDE * P::DEPTH / P::THREADS;
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
  __device__ static void store(typename P::Panel& panel, const Source& source, const float (&from)[FETCH]) {
    positions(source, [&](int i, int row, int k) { panel.put(row, k, from[i]); });
  }
};

}  // namespace kfac
