// A tile of L'R, where L and R are [token, column] arrays of 16-bit numbers: sizes, shared memory, fragments.
//
// A stage holds DEPTH tokens of both operands, each as one plane (16-bit numbers) or two (fp16: high, then low). A row
// of a plane is SIDE columns of one token. Chunk c (eight columns, 16 bytes) of row k lies at place c ^ turn(k) of its
// row: the eight rows that a quarter of ldmatrix reads lie in different banks, and so do eight chunks stored together.
#pragma once
#include "mma.cuh"
#include "tokens.cuh"

namespace kfac {

// 16-bit numbers as they are: their products are exact.
template <class T>
struct Exact16 {
  static constexpr int PLANES = 1, PRODUCTS = 1;
  static constexpr bool SCALED = false;
  using Number = T;
  __device__ static constexpr int left_plane(int) { return 0; }
  __device__ static constexpr int right_plane(int) { return 0; }
};

// fp32 numbers, scaled, as sums of two fp16 numbers: low x high, high x low, high x high.
struct SplitHalves {
  static constexpr int PLANES = 2, PRODUCTS = 3;
  static constexpr bool SCALED = true;
  using Number = Half;
  __device__ static constexpr int left_plane(int product) { return product == 0; }
  __device__ static constexpr int right_plane(int product) { return product == 1; }
};

// Tokens of a trip of the main loop, which share a scale, and columns that do.
constexpr int TRIP = 96, SCALE_COLUMNS = 128;

// Every TERMS tokens the sums leave the tensor core, which truncates, for totals in fp32. With 16 the error is that of
// plain fp32 products; with 96 up to five times that, and a loop has 130 instructions less.
// 2 SIDE / 32 warps, each with SIDE / 2 rows and 32 columns of the tile. Three stages of the largest tile fit into the
// 99 KB that every chip from sm_80 on has, and a trip of the unrolled loop goes once around them.
// A scale holds for SCALE_TOKENS of them.
template <class Math_, int SIDE_, int BLOCKS_, int TERMS_ = TRIP, int SCALE_TOKENS_ = TRIP>
struct Tiling {
  using Math = Math_;
  static constexpr int SIDE = SIDE_, BLOCKS = BLOCKS_, TERMS = TERMS_, SCALE_TOKENS = SCALE_TOKENS_;
  static constexpr int STAGES = 3, DEPTH = TOKEN_STEP, THREADS = 2 * SIDE;
  static constexpr int BANDS = SIDE / 32, GROUPS = 4;  // of 16 rows, and of eight columns, in a warp
  static constexpr int SUMS = SIDE * SIDE / THREADS;
  static constexpr int ROW_BYTES = 2 * SIDE, PLANE_BYTES = DEPTH * ROW_BYTES;
  static constexpr int OPERAND_BYTES = Math::PLANES * PLANE_BYTES, STAGE_BYTES = 2 * OPERAND_BYTES;
  static constexpr int SHARED_BYTES = STAGES * STAGE_BYTES;
  static constexpr int TEAM = THREADS / DEPTH;    // threads that fetch one row
  static constexpr int CHUNKS = SIDE / 8 / TEAM;  // that each of them fetches from a plane
  static_assert(TRIP == STAGES * DEPTH, "then stages are known to the compiler");

  using Sums = float[BANDS][GROUPS][4];  // of a thread: [band][group of eight columns][element of a fragment]

  __device__ static int first_row() { return threadIdx.x / 32 % 2 * (SIDE / 2); }
  __device__ static int first_column() { return threadIdx.x / 64 * 32; }
  // The plain c ^ row % 8 would have conflicts where the side is 64: eight threads store four chunks of each of two
  // rows.
  __device__ static int turn(int row) { return row % 2 * 4 + row / 2 % 4; }
  __device__ static int place(int row, int chunk) { return row * ROW_BYTES + (chunk ^ turn(row)) * 16; }

  // visit(sum, row, column) for every number of a thread.
  template <class AnySums, class Visit>
  __device__ static void each(AnySums& sums, const Visit& visit) {
    const int lane = threadIdx.x % 32, row = first_row() + lane / 4, column = first_column() + lane % 4 * 2;
#pragma unroll
    for (int band = 0; band < BANDS; ++band)
#pragma unroll
      for (int group = 0; group < GROUPS; ++group)
#pragma unroll
        for (int e = 0; e < 4; ++e)
          visit(sums[band][group][e], row + 16 * band + 8 * (e / 2), column + 8 * group + e % 2);
  }
};

// What a lane passes to ldmatrix, for stage 0, plane 0, token 0.
template <class T>
class Fragments {
 public:
  __device__ Fragments(SharedAddress left, SharedAddress right) {
    const int lane = threadIdx.x % 32;
#pragma unroll
    for (int band = 0; band < T::BANDS; ++band)
      left_[band] = opaque(left + T::place(lane / 16 * 8 + lane % 8, T::first_row() / 8 + 2 * band + lane / 8 % 2));
#pragma unroll
    for (int pair = 0; pair < T::GROUPS / 2; ++pair)
      right_[pair] =
          opaque(right + T::place(lane / 8 % 2 * 8 + lane % 8, T::first_column() / 8 + 2 * pair + lane / 16));
  }

  // sum += products of tokens k .. k + 15 of the stage that lies `stage` bytes after the first, the small ones first:
  // what the tensor core truncates is then relative to them. Each product goes over all fragments of a pair of groups,
  // so that the next one that needs its sum is eight instructions away. done(pair): those of a pair are complete.
  template <class Done>
  __device__ __forceinline__ void multiply(int stage, int k, typename T::Sums& sum, const Done& done) const {
    using Math = typename T::Math;
    uint32_t left[Math::PLANES][T::BANDS][4];
#pragma unroll
    for (int plane = 0; plane < Math::PLANES; ++plane)
#pragma unroll
      for (int band = 0; band < T::BANDS; ++band)
        load_transposed(left[plane][band], left_[band] + stage + plane * T::PLANE_BYTES + k * T::ROW_BYTES);
#pragma unroll
    for (int pair = 0; pair < T::GROUPS / 2; ++pair) {
      uint32_t right[Math::PLANES][4];
#pragma unroll
      for (int plane = 0; plane < Math::PLANES; ++plane)
        load_transposed(right[plane], right_[pair] + stage + plane * T::PLANE_BYTES + k * T::ROW_BYTES);
#pragma unroll
      for (int product = 0; product < Math::PRODUCTS; ++product)
#pragma unroll
        for (int tile = 0; tile < 2 * T::BANDS; ++tile) {
          const uint32_t(&b)[4] = right[Math::right_plane(product)];
          const uint32_t half[2] = {b[tile % 2 * 2], b[tile % 2 * 2 + 1]};
          mma(typename Math::Number(), sum[tile / 2][2 * pair + tile % 2], left[Math::left_plane(product)][tile / 2],
              half);
        }
      done(pair);
    }
  }

 private:
  SharedAddress left_[T::BANDS], right_[T::GROUPS / 2];
};

}  // namespace kfac
