// One group of one layer to be preconditioned, and what is made of the tiles of U = scale G^-1 dW A^-1: beside U itself
// <U, dW> and the norms of both, where they are at hand.
#pragma once
#include "parts.cuh"

namespace kfac {
namespace {

struct Step {
  const float* g_inverse;  // [out, out]
  const float* a_inverse;  // [columns, columns]
  const float* weight;     // [out, in]
  const float* bias;       // [out] or null
  float* weight_result;
  float* bias_result;
  double* inner;         // one for each tile
  double* multiplied;    // as many, of |dW|^2 times both norms; null if nobody asks for norms
  double* squares;       // as many, of |U|^2
  const double* g_norm;  // |G^-1|^2
  const double* a_norm;
  int out, in, columns;
  float scale;
  int side;  // of the tiles

  // dW: weight | bias
  __device__ float gradient(long long i, long long j) const { return j < in ? weight[i * in + j] : bias[i]; }
};

template <int THREADS>
struct StepShared {
  double partial[3][THREADS / 32];
};

// Finishes a tile that begins at (row, column); each(visit) gives visit(sum, row, column) all of a thread's elements,
// which beyond the edges of U are 0.
template <int THREADS, class Each>
__device__ __forceinline__ void finish(const Step& step, long long part, int row, int column,
                                       StepShared<THREADS>& shared, const Each& each) {
  const float scale = step.scale;
  double inner = 0.0, given = 0.0, squares = 0.0;
  each([&](float sum, int r, int c) {
    const long long i = row + r, j = column + c;
    if (i >= step.out || j >= step.columns) return;
    const float u = scale * sum;
    const double dw = step.gradient(i, j);  // read before it may be overwritten
    inner += u * dw;
    given += dw * dw;
    squares += double(u) * double(u);
    if (j < step.in) step.weight_result[i * step.in + j] = u;
    else step.bias_result[i] = u;
  });
  inner = block_sum(inner, shared.partial[0]);
  given = block_sum(given, shared.partial[1]);
  squares = block_sum(squares, shared.partial[2]);
  if (threadIdx.x != 0) return;
  step.inner[part] = inner;
  if (!step.squares) return;
  step.multiplied[part] = double(scale) * scale * given * (*step.g_norm / step.out) * (*step.a_norm / step.columns);
  step.squares[part] = squares;
}

}  // namespace
}  // namespace kfac
