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

constexpr float SMALLEST_PIVOT = 1.17549435e-38f, LARGEST_PIVOT = 3.40282347e38f;  // beyond, a reciprocal may not fit

// 1 / sqrt(x) to the last bit or nearly so: one Newton step from the hardware's approximation, the rounding of x r
// included. What it is off by goes into whole rows and columns of an inverse. Not a number unless 0 < x < infinity.
__device__ __forceinline__ float reciprocal_root(float x) {
  const float r = rsqrtf(x), xr = x * r, missing = fmaf(x, r, -xr);
  return fmaf(0.5f * r, fmaf(-missing, r, fmaf(-xr, r, 1.0f)), r);
}
__device__ __forceinline__ double reciprocal_root(double x) { return rsqrt(x); }

// a b + c, rounded once
__device__ __forceinline__ float multiply_add(float a, float b, float c) { return fmaf(a, b, c); }
__device__ __forceinline__ double multiply_add(double a, double b, double c) { return fma(a, b, c); }

template <class T>
struct alignas(16) Four {
  T x, y, z, w;
};

// Lower triangle of a 4 x 4 Cholesky factor, reciprocals on the diagonal.
template <class T>
struct Lower4 {
  T r0, l10, r1, l20, l21, r2, l30, l31, l32, r3;
};

// d[j]: column j of a symmetric block, of which the lower triangle is read.
// Returns 0, or 1 + the number of the first pivot that is not positive.
template <class T>
__device__ __forceinline__ int factor4(const Four<T> (&d)[4], Lower4<T>& l) {
  int failed = 0;
  auto reciprocal = [&](T pivot, int number) {
    if (!(pivot >= SMALLEST_PIVOT && pivot <= LARGEST_PIVOT) && !failed) failed = number;
    return reciprocal_root(pivot);
  };
  l.r0 = reciprocal(d[0].x, 1);
  l.l10 = d[0].y * l.r0;
  l.l20 = d[0].z * l.r0;
  l.l30 = d[0].w * l.r0;
  l.r1 = reciprocal(multiply_add(-l.l10, l.l10, d[1].y), 2);
  l.l21 = multiply_add(-l.l20, l.l10, d[1].z) * l.r1;
  l.l31 = multiply_add(-l.l30, l.l10, d[1].w) * l.r1;
  l.r2 = reciprocal(multiply_add(-l.l21, l.l21, multiply_add(-l.l20, l.l20, d[2].z)), 3);
  l.l32 = multiply_add(-l.l31, l.l21, multiply_add(-l.l30, l.l20, d[2].w)) * l.r2;
  l.r3 = reciprocal(multiply_add(-l.l32, l.l32, multiply_add(-l.l31, l.l31, multiply_add(-l.l30, l.l30, d[3].w))), 4);
  return failed;
}

// L^-1 p
template <class T>
__device__ __forceinline__ Four<T> solve4(const Lower4<T>& l, const Four<T>& p) {
  Four<T> z;
  z.x = p.x * l.r0;
  z.y = multiply_add(-l.l10, z.x, p.y) * l.r1;
  z.z = multiply_add(-l.l21, z.y, multiply_add(-l.l20, z.x, p.z)) * l.r2;
  z.w = multiply_add(-l.l32, z.z, multiply_add(-l.l31, z.y, multiply_add(-l.l30, z.x, p.w))) * l.r3;
  return z;
}

template <class T>
__device__ __forceinline__ Four<T> unit4(int i) {
  return {T(i == 0), T(i == 1), T(i == 2), T(i == 3)};
}
template <class T>
__device__ __forceinline__ Four<T> negative(const Four<T>& z) {
  return {-z.x, -z.y, -z.z, -z.w};
}

// a - u . v; the same bits for (u, v) and (v, u). The products are added up first: of n / 4 such steps each then rounds
// a once instead of four times, which halves the error of a well-conditioned inverse.
template <class T>
__device__ __forceinline__ T minus_dot(T a, const Four<T>& u, const Four<T>& v) {
  return a - multiply_add(u.w, v.w, multiply_add(u.z, v.z, multiply_add(u.y, v.y, u.x * v.x)));
}

// The diagonal is kept beside the columns, in fp64: of what is left of A, its elements are the largest, and the
// roundings of n / 4 steps would be most of the error of a well-conditioned inverse.
template <class T>
__device__ __forceinline__ double minus_square(double a, const Four<T>& z) {
  return fma(-double(z.w), double(z.w),
             fma(-double(z.z), double(z.z), fma(-double(z.y), double(z.y), fma(-double(z.x), double(z.x), a))));
}

// Publishes the first four elements of column number j of a pivot block, with the diagonal that is kept beside.
template <class T>
__device__ __forceinline__ void put_pivot(Four<T> (&pivot)[4], int j, const Four<T>& column, double diagonal) {
  pivot[j] = column;
  reinterpret_cast<T*>(&pivot[j])[j] = T(diagonal);
}

// Updates columns held as a[c][0] = element first, a[c][1] = element first + 1, ... and moves them up by four places,
// so that all register indices are known to the compiler although the pivot is not. rows[i] is z of element i.
template <class T, int COLUMNS, int N>
__device__ __forceinline__ void update_and_shift(T (&a)[COLUMNS][N], const Four<T>* rows, int first,
                                                 const Four<T> (&z)[COLUMNS]) {
#pragma unroll
  for (int i = 4; i < N; ++i) {
    const Four<T> row = rows[first + i];
#pragma unroll
    for (int c = 0; c < COLUMNS; ++c) a[c][i - 4] = minus_dot(a[c][i], row, z[c]);
  }
}

}  // namespace kfac
