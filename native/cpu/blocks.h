// A lower triangle in square blocks: sums of products of packed samples, and the second moment made of them.
#pragma once
#include "tile.h"
#include "verbs.h"

namespace kfac::KFAC_ISA {

void transpose(int rows, int cols, const float* a, int64_t a_stride, float* b, int64_t b_stride);

/// Copies the lower triangle of an n x n matrix to the upper.
static void mirror_lower(int n, float* a, ptrdiff_t lda) {
  for (int i = 0; i < n; i += W) {
    int height = least(W, n - i);
    transpose(height, i, a + i * lda, lda, a + i, lda);
    for (int r = i; r < i + height; r++) {
      for (int k = i; k < r; k++) a[k * lda + r] = a[r * lda + k];
    }
  }
}

/// Block row i and block column j <= i.
struct BlockPair {
  int i, j;
};

struct Blocks {
  int dim, count, side;

  /// Blocks of one size, `most_side` at most and whole panels.
  Blocks(int dim, int most_side) : dim(dim), count((dim + most_side - 1) / most_side) {
    side = round_up((dim + count - 1) / count, Q);
    count = (dim + side - 1) / side;
  }

  int pairs() const { return count * (count + 1) / 2; }
  BlockPair pair(int index) const {
    int i = 0;
    for (; index > i; i++) index -= i + 1;
    return {i, index};
  }
  size_t elements() const { return (size_t)side * side; }
  int extent(int block) const { return least(side, dim - block * side); }

  /// sums += products of `depth` samples, packed in panels `panel` doubles apart, as far as the lower triangle needs
  /// them.
  void add(BlockPair pair, int depth, const double* left, const double* right, size_t panel, double* sums) const {
    int height = extent(pair.i);
    for (int r = 0; r < height; r += Q) {
      int end = pair.i == pair.j ? r + Q : extent(pair.j);
      for (int k = 0; k < end; k += Q) {
        const double *a = left + r / Q * panel, *b = right + k / Q * panel;
        for (int m = 0; m < least(Q, height - r); m += M) {
          add_tile(1, depth, a + m, {Q, 0}, b, {Q, 0}, sums + (size_t)(r + m) * side + k, side);
        }
      }
    }
  }

  /// Adds slices of sums in order, and updates both triangles of the target.
  void finish(BlockPair pair, const double* sums, int slices, const AccumulateRequest& request, float* target) const {
    ptrdiff_t n = dim, i = (ptrdiff_t)pair.i * side, j = (ptrdiff_t)pair.j * side;
    int height = extent(pair.i), width = extent(pair.j);
    for (int r = 0; r < height; r++) {
      float* row = target + (i + r) * n + j;
      int end = i == j ? r + 1 : width;
      for (int k = 0; k < end; k += W) {
        alignas(64) float line[W] = {};
        if (request.decay != 0) store(line, load(row + k, end - k));
        for (int half = 0; half < W; half += D) {
          const double* from = sums + (size_t)r * side + k + half;
          vd sum = load(from);
          for (int s = 1; s < slices; s++) sum += load(from + s * elements());
          vd updated = request.weight * sum + request.decay * widen(line + half);
          *(vhu*)(line + half) = __builtin_convertvector(updated, vh);
        }
        store(row + k, load(line), end - k);
      }
    }
    if (i == j) {
      mirror_lower(height, target + i * (n + 1), n);
    } else {
      transpose(height, width, target + i * n + j, n, target + j * n + i, n);
    }
  }
};

}  // namespace kfac::KFAC_ISA
