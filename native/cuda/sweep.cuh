// Elimination of four columns at a time from matrices held in registers, one column per thread: the step that small
// inverses, the factor of a diagonal block and the panel below it share.
//
// A sweep of the pivot block K with D = A_KK = L L' replaces a symmetric A by
//   A_ij - z_i z_j,  z_i = A_iK L^-T  for i outside K,  z_K = -L^-T,  with A_ij taken as 0 where i or j is in K.
// After all blocks have been swept, A holds minus its inverse. This form is as accurate as Cholesky; forms that
// multiply by D^-1 instead are not.
#pragma once
#include "number.cuh"

namespace kfac {

constexpr float SMALLEST_PIVOT = 1.17549435e-38f;  // below, a reciprocal may overflow

// 1 / sqrt(x) to the last bit or nearly so: one Newton step from the hardware's approximation, the rounding of x r
// included. What it is off by goes into whole rows and columns of an inverse. Not a number unless 0 < x < infinity.
__device__ __forceinline__ float reciprocal_root(float x) {
  const float r = rsqrtf(x), xr = x * r, missing = fmaf(x, r, -xr);
  return fmaf(0.5f * r, fmaf(-missing, r, fmaf(-xr, r, 1.0f)), r);
}

// Lower triangle of a 4 x 4 Cholesky factor, reciprocals on the diagonal.
struct Lower4 {
  float r0, l10, r1, l20, l21, r2, l30, l31, l32, r3;
};

// d[j]: column j of a symmetric block, of which the lower triangle is read.
// Returns 0, or 1 + the number of the first pivot that is not positive.
__device__ __forceinline__ int factor4(const float4 (&d)[4], Lower4& l) {
  int failed = 0;
  auto reciprocal = [&](float pivot, int number) {
    if (!(pivot >= SMALLEST_PIVOT && finite(pivot)) && !failed) failed = number;
    return reciprocal_root(pivot);
  };
  l.r0 = reciprocal(d[0].x, 1);
  l.l10 = d[0].y * l.r0;
  l.l20 = d[0].z * l.r0;
  l.l30 = d[0].w * l.r0;
  l.r1 = reciprocal(fmaf(-l.l10, l.l10, d[1].y), 2);
  l.l21 = fmaf(-l.l20, l.l10, d[1].z) * l.r1;
  l.l31 = fmaf(-l.l30, l.l10, d[1].w) * l.r1;
  l.r2 = reciprocal(fmaf(-l.l21, l.l21, fmaf(-l.l20, l.l20, d[2].z)), 3);
  l.l32 = fmaf(-l.l31, l.l21, fmaf(-l.l30, l.l20, d[2].w)) * l.r2;
  l.r3 = reciprocal(fmaf(-l.l32, l.l32, fmaf(-l.l31, l.l31, fmaf(-l.l30, l.l30, d[3].w))), 4);
  return failed;
}

// L^-1 p
__device__ __forceinline__ float4 solve4(const Lower4& l, float4 p) {
  float4 z;
  z.x = p.x * l.r0;
  z.y = fmaf(-l.l10, z.x, p.y) * l.r1;
  z.z = fmaf(-l.l21, z.y, fmaf(-l.l20, z.x, p.z)) * l.r2;
  z.w = fmaf(-l.l32, z.z, fmaf(-l.l31, z.y, fmaf(-l.l30, z.x, p.w))) * l.r3;
  return z;
}

__device__ __forceinline__ float4 unit4(int i) {
  return make_float4(i == 0 ? 1.0f : 0.0f, i == 1 ? 1.0f : 0.0f, i == 2 ? 1.0f : 0.0f, i == 3 ? 1.0f : 0.0f);
}
__device__ __forceinline__ float4 negative(float4 z) { return make_float4(-z.x, -z.y, -z.z, -z.w); }

// a - u . v; the same bits for (u, v) and (v, u). The products are added up first: of n / 4 such steps each then rounds
// a once instead of four times, which halves the error of a well-conditioned inverse.
__device__ __forceinline__ float minus_dot(float a, float4 u, float4 v) {
  return a - fmaf(u.w, v.w, fmaf(u.z, v.z, fmaf(u.y, v.y, u.x * v.x)));
}

// Updates columns held as a[c][0] = element first, a[c][1] = element first + 1, ... and moves them up by four places,
// so that all register indices are known to the compiler although the pivot is not. rows[i] is z of element i.
template <int COLUMNS, int N>
__device__ __forceinline__ void update_and_shift(float (&a)[COLUMNS][N], const float4* rows, int first,
                                                 const float4 (&z)[COLUMNS]) {
#pragma unroll
  for (int i = 4; i < N; ++i) {
    const float4 row = rows[first + i];
#pragma unroll
    for (int c = 0; c < COLUMNS; ++c) a[c][i - 4] = minus_dot(a[c][i], row, z[c]);
  }
}

}  // namespace kfac
