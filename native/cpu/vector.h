// Vectors of the instruction set that a source file is compiled for. Each set compiles the same files in a namespace of
// its own (KFAC_ISA), so that nothing of one set can be linked into another: no inline functions of the standard
// library, whose copies the linker would merge, belong into these files.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#if defined(__AVX2__)
#include <immintrin.h>
#endif

namespace kfac::KFAC_ISA {

constexpr int W = KFAC_WIDTH;  // floats in a vector
constexpr int P = 2 * W;       // columns of a panel: the width of a register tile
constexpr int D = W / 2;       // doubles in a vector
constexpr int Q = 2 * D;       // columns of a panel of doubles

typedef float vf __attribute__((vector_size(4 * W), may_alias));
typedef float vfu __attribute__((vector_size(4 * W), aligned(4), may_alias));  // at any address
typedef int32_t vi __attribute__((vector_size(4 * W), may_alias));
typedef double vd __attribute__((vector_size(4 * W), may_alias));
typedef double vdu __attribute__((vector_size(4 * W), aligned(8), may_alias));
typedef float vh __attribute__((vector_size(2 * W), may_alias));  // half a vector
typedef float vhu __attribute__((vector_size(2 * W), aligned(4), may_alias));

static inline vf load(const float* p) { return *(const vfu*)p; }
static inline void store(float* p, vf v) { *(vfu*)p = v; }
static inline void add(float* p, vf v) { store(p, load(p) + v); }
static inline vd load(const double* p) { return *(const vdu*)p; }
static inline void store(double* p, vd v) { *(vdu*)p = v; }
static inline void add(double* p, vd v) { store(p, load(p) + v); }

static inline vd widen(const float* p) { return __builtin_convertvector(*(const vhu*)p, vd); }

/// The first or second half of the elements in fp64. By address they would be read from memory, and be kept there.
template <int half>
static inline vd widen(vf v) {
#if KFAC_WIDTH == 16  // masked, because gcc 12 warns of its own header of the other forms
  return (vd)_mm512_maskz_cvtps_pd(0xff, _mm512_maskz_extractf32x8_ps(0xff, (__m512)v, half));
#elif KFAC_WIDTH == 8
  return (vd)_mm256_cvtps_pd(_mm256_extractf128_ps((__m256)v, half));
#else
  return vd{v[2 * half], v[2 * half + 1]};
#endif
}

/// A product that is rounded before it is added to: fused with the sum in one copy of a function and not in another,
/// the bits of a result would depend on how work is cut.
static inline vd rounded(vd product) {
#if defined(__x86_64__)
  asm("" : "+x"(product));
#elif defined(__aarch64__)
  asm("" : "+w"(product));
#endif
  return product;
}

/// Copies W floats as doubles.
static inline void store_wide(double* p, vf v) {
  store(p, widen<0>(v));
  store(p + D, widen<1>(v));
}

static inline float* aligned(float* p) { return (float*)(((uintptr_t)p + 63) & ~(uintptr_t)63); }

static inline int least(int a, int b) { return a < b ? a : b; }
static inline int most(int a, int b) { return a > b ? a : b; }
static inline int round_up(int n, int unit) { return (n + unit - 1) / unit * unit; }

/// The first `count` lanes of a vector, 0 in the others.
static inline vf first_lanes(vf v, int count) {
  vi lane;
  for (int l = 0; l < W; l++) lane[l] = l;
  return lane < count ? v : vf{};
}

/// The first `count` lanes of one vector, the others of another.
static inline vf choose_lanes(vf first, vf others, int count) {
  vi lane;
  for (int l = 0; l < W; l++) lane[l] = l;
  return lane < count ? first : others;
}

#if KFAC_WIDTH == 16
static inline __mmask16 mask_of(int count) { return (__mmask16)_bzhi_u32(0xffff, (unsigned)most(0, count)); }
#elif KFAC_WIDTH == 8
static inline __m256i mask_of(int count) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(count), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
#endif

/// The first `count` elements, W at most, and zeros; reads nothing beyond.
static inline vf load(const float* p, int count) {
#if KFAC_WIDTH == 16
  return (vf)_mm512_maskz_loadu_ps(mask_of(least(W, count)), p);
#elif KFAC_WIDTH == 8
  return (vf)_mm256_maskload_ps(p, mask_of(count));
#else
  if (count >= W) return load(p);
  vf v = {};
  if (count > 0) memcpy(&v, p, sizeof(float) * count);
  return v;
#endif
}

/// Writes the first `count` elements, W at most.
static inline void store(float* p, vf v, int count) {
#if KFAC_WIDTH == 16
  _mm512_mask_storeu_ps(p, mask_of(least(W, count)), (__m512)v);
#elif KFAC_WIDTH == 8
  _mm256_maskstore_ps(p, mask_of(count), (__m256)v);
#else
  if (count >= W) {
    store(p, v);
  } else if (count > 0) {
    memcpy(p, &v, sizeof(float) * count);
  }
#endif
}

/// Lanes from two vectors: lane l is a[from[l]], or b[from[l] - W].
typedef int (*LaneOf)(int lane);
template <LaneOf from>
static inline __attribute__((always_inline)) vf shuffle(vf a, vf b) {
#ifdef __clang__  // for the fuzzer: it has no shuffle by a vector
  vf out;
  for (int l = 0; l < W; l++) out[l] = from(l) < W ? a[from(l)] : b[from(l) - W];
  return out;
#else
  vi lanes;
#pragma GCC unroll 16
  for (int l = 0; l < W; l++) lanes[l] = from(l);
  return __builtin_shuffle(a, b, lanes);
#endif
}

// Within each quarter of 4 lanes: the first or second half of both operands, alternating in singles or in pairs.
constexpr int single_low(int l) { return l / 4 * 4 + l % 4 / 2 + l % 2 * W; }
constexpr int single_high(int l) { return single_low(l) + 2; }
constexpr int pair_low(int l) { return l / 4 * 4 + l % 2 + l % 4 / 2 * W; }
constexpr int pair_high(int l) { return pair_low(l) + 2; }
// Whole quarters: the first or second half of both operands, or their even or odd ones.
constexpr int half_low(int l) { return l % (W / 2) + l / (W / 2) * W; }
constexpr int half_high(int l) { return half_low(l) + W / 2; }
constexpr int even_quarters(int l) { return l % 4 + l % (W / 2) / 4 * 8 + l / (W / 2) * W; }
constexpr int odd_quarters(int l) { return even_quarters(l) + 4; }

/// Transposes a W x W block held in W vectors: first 4 x 4 blocks in themselves, then the blocks.
static inline __attribute__((always_inline)) void transpose(vf (&v)[W]) {
  vf t[W];
#pragma GCC unroll 4
  for (int i = 0; i < W; i += 4) {
    vf a = shuffle<single_low>(v[i], v[i + 1]), b = shuffle<single_high>(v[i], v[i + 1]);
    vf c = shuffle<single_low>(v[i + 2], v[i + 3]), d = shuffle<single_high>(v[i + 2], v[i + 3]);
    t[i] = shuffle<pair_low>(a, c);
    t[i + 1] = shuffle<pair_high>(a, c);
    t[i + 2] = shuffle<pair_low>(b, d);
    t[i + 3] = shuffle<pair_high>(b, d);
  }
#pragma GCC unroll 4
  for (int c = 0; c < 4; c++) {
    if constexpr (W == 4) v[c] = t[c];
    if constexpr (W == 8) {
      v[c] = shuffle<half_low>(t[c], t[4 + c]);
      v[4 + c] = shuffle<half_high>(t[c], t[4 + c]);
    }
    if constexpr (W == 16) {
      vf x = shuffle<half_low>(t[c], t[4 + c]), y = shuffle<half_high>(t[c], t[4 + c]);
      vf z = shuffle<half_low>(t[8 + c], t[12 + c]), w = shuffle<half_high>(t[8 + c], t[12 + c]);
      v[c] = shuffle<even_quarters>(x, z);
      v[4 + c] = shuffle<odd_quarters>(x, z);
      v[8 + c] = shuffle<even_quarters>(y, w);
      v[12 + c] = shuffle<odd_quarters>(y, w);
    }
  }
}

/// Copies a W x W block transposed.
static inline void transpose_block(const float* from, ptrdiff_t from_step, float* to, ptrdiff_t to_step) {
  vf v[W];
#pragma GCC unroll 16
  for (int i = 0; i < W; i++) v[i] = load(from + i * from_step);
  transpose(v);
#pragma GCC unroll 16
  for (int i = 0; i < W; i++) store(to + i * to_step, v[i]);
}

/// Copies rows x cols elements, W at most of each, transposed and padded with zeros: to[c * to_step + [0, W)].
static inline void transpose_to(const float* from, ptrdiff_t from_step, int rows, int cols, float* to,
                                ptrdiff_t to_step) {
  vf v[W];
  for (int r = 0; r < W; r++) v[r] = r < rows ? load(from + r * from_step, cols) : vf{};
  transpose(v);
  for (int c = 0; c < cols; c++) store(to + c * to_step, v[c]);
}

}  // namespace kfac::KFAC_ISA
