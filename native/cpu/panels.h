// Dense products whose right operand is packed into panels and whose left operand is read where it lies.
#pragma once
#include "vector.h"

namespace kfac::KFAC_ISA {

constexpr int TALL = W >= 16 ? 14 : W >= 8 ? 6 : 4;  // rows of the largest register tile, W at most
constexpr int TERMS = 576;                           // the most terms of a sum that one pass adds
constexpr int AHEAD = 8;                             // rows of a panel that are fetched before they are needed
constexpr int GROUP = 512;                           // columns of B that stay in the second-level cache meanwhile

/// A matrix of floats: element (i, j) at data[i * row + j * col]; one of the two strides is 1.
struct Result {
  float* data;
  ptrdiff_t row, col;
};

struct Operand {
  const float* data;
  ptrdiff_t row, col;
  Operand at(ptrdiff_t i, ptrdiff_t j) const { return {data + i * row + j * col, row, col}; }
};

/// Floats of a k x n matrix in panels: panel p holds columns [p P, p P + P), row after row.
static inline size_t panel_floats(int k, int n) { return (size_t)k * round_up(n, P); }

/// Packs columns [first, first + count), P at most, of a matrix of k rows; zeros follow in the panel.
static void pack_panel(Operand b, int first, int count, int k, float* out) {
  const float* from = b.data + first * b.col;
  if (b.col == 1) {
    for (int i = 0; i < k; i++, from += b.row, out += P) {
      store(out, load(from, count));
      store(out + W, load(from + W, count - W));
    }
    return;
  }
  for (int half = 0; half < P; half += W) {
    int columns = most(0, least(W, count - half));
    for (int i = 0; i < k; i += W) {
      transpose_to(from + half * b.col + i, b.col, columns, least(W, k - i), out + i * P + half, P);
    }
  }
}

/// What becomes of sums: c = alpha sum + beta c.
struct Update {
  float alpha, beta;
  vf apply(vf sum, vf before) const { return beta == 0 ? alpha * sum : alpha * sum + beta * before; }
};

/// The same where fp32 adds few terms, and fp64 adds those sums up.
struct ShortSums {
  double alpha, beta;
  int terms;

  vh apply(vd sum, const float* before) const {
    vd result = rounded(alpha * sum);
    if (beta != 0) result += beta * widen(before);
    return __builtin_convertvector(result, vh);
  }
};

/// A few rows of A for one pass, copied so that their addresses differ by constants: `row` and `col` are its strides.
template <int row, int col>
struct Band {
  float data[row == 1 ? TERMS * col : TALL * row] __attribute__((aligned(64)));

  void copy(Operand a, int rows, int k) {
    if constexpr (row == 1) {
      for (int i = 0; i < k; i++) store(data + i * col, load(a.data + i * a.col, rows));
    } else {
      for (int r = 0; r < rows; r++) memcpy(data + r * row, a.data + r * a.row, sizeof(float) * k);
    }
  }

  /// The sums of `rows` x P elements over k terms.
  template <int rows>
  inline __attribute__((always_inline)) void multiply(int k, const float* b, vf (&sums)[rows][2], int first = 0) const {
    const float* a = data + first * col;
    for (int i = 0; i < k; i++, a += col, b += P) {
      __builtin_prefetch(b + AHEAD * P);  // of the next panel too, which follows or has been used before
      __builtin_prefetch(b + AHEAD * P + W);
      vf left = load(b), right = load(b + W);
#pragma GCC unroll 16
      for (int r = 0; r < rows; r++) {
        sums[r][0] += a[r * row] * left;
        sums[r][1] += a[r * row] * right;
      }
    }
  }
};

using RowsBand = Band<TERMS + 16, 1>;
using ColumnsBand = Band<1, W>;

/// C, `rows` x `columns`, from `rows` of A and one panel.
template <int rows, class B>
static void tile(const B& a, int k, const float* b, Update u, Result c, int columns) {
  vf sums[rows][2] = {};
  a.template multiply<rows>(k, b, sums);
  if (c.col == 1) {
#pragma GCC unroll 16
    for (int r = 0; r < rows; r++) {
      float* to = c.data + r * c.row;
#pragma GCC unroll 2
      for (int h = 0; h < 2; h++) {
        int count = columns - h * W;
        store(to + h * W, u.apply(sums[r][h], u.beta == 0 ? vf{} : load(to + h * W, count)), count);
      }
    }
    return;
  }
#pragma GCC unroll 2
  for (int h = 0; h < 2; h++) {
    vf v[W];
#pragma GCC unroll 16
    for (int r = 0; r < W; r++) v[r] = r < rows ? sums[r < rows ? r : 0][h] : vf{};
    transpose(v);
    float* to = c.data + h * W * c.col;
#pragma GCC unroll 16
    for (int j = 0; j < W; j++, to += c.col) {
      if (j >= columns - h * W) break;
      store(to, u.apply(v[j], u.beta == 0 ? vf{} : load(to, rows)), rows);
    }
  }
}

/// The same for short sums; rows of C are contiguous.
template <int rows, class B>
static void tile(const B& a, int k, const float* b, ShortSums u, Result c, int columns) {
  vd totals[rows][4] = {};
  for (int i = 0; i < k; i += u.terms) {
    vf sums[rows][2] = {};
    a.template multiply<rows>(least(u.terms, k - i), b + (ptrdiff_t)i * P, sums, i);
#pragma GCC unroll 16
    for (int r = 0; r < rows; r++) {
#pragma GCC unroll 2
      for (int h = 0; h < 2; h++) {
        totals[r][2 * h] += widen<0>(sums[r][h]);
        totals[r][2 * h + 1] += widen<1>(sums[r][h]);
      }
    }
  }
  for (int r = 0; r < rows; r++) {
    float* to = c.data + r * c.row;
    alignas(64) float line[P] = {};
    if (columns < P) memcpy(line, to, sizeof(float) * columns);
    float* out = columns < P ? line : to;
    for (int q = 0; q < 4; q++) *(vhu*)(out + q * W / 2) = u.apply(totals[r][q], out + q * W / 2);
    if (columns < P) memcpy(to, line, sizeof(float) * columns);
  }
}

/// `height` rows of C from as many of A and all panels.
template <int rows, class B, class U>
static void tiles(int height, const B& a, int k, const float* b, size_t panel, int n, U u, Result c) {
  if (height < rows) {
    if constexpr (rows > 1) tiles<rows - 1>(height, a, k, b, panel, n, u, c);
    return;
  }
  for (int j = 0; j < n; j += P, b += panel) {
    tile<rows>(a, k, b, u, {c.data + j * c.col, c.row, c.col}, least(P, n - j));
  }
}

/// What a pass other than the first does.
static inline Update after_first(Update u) { return {u.alpha, 1}; }
static inline ShortSums after_first(ShortSums u) { return {u.alpha, 1, u.terms}; }

template <class B, class U>
static void multiply(int m, int n, int k, Operand a, const float* panels, U u, Result c) {
  B rows;
  int bands = (m + TALL - 1) / TALL;
  int passes = (k + TERMS - 1) / TERMS;
  for (int pass = 0; pass < passes; pass++) {
    int k0 = (int)((int64_t)k * pass / passes), depth = (int)((int64_t)k * (pass + 1) / passes) - k0;
    U update = k0 ? after_first(u) : u;
    for (int j = 0; j < n; j += GROUP) {
      const float* b = panels + (size_t)j * k + (size_t)k0 * P;
      for (int band = 0; band < bands; band++) {
        int i = (int)((int64_t)m * band / bands), height = (int)((int64_t)m * (band + 1) / bands) - i;
        rows.copy(a.at(i, k0), height, depth);
        Result to = {c.data + i * c.row + j * c.col, c.row, c.col};
        tiles<TALL>(height, rows, depth, b, (size_t)k * P, least(GROUP, n - j), update, to);
      }
    }
  }
}

/// C = alpha A B + beta C with A m x k, B k x n in panels, C m x n.
static void multiply(int m, int n, int k, Operand a, const float* panels, Update u, Result c) {
  if (a.col == 1) {
    multiply<RowsBand>(m, n, k, a, panels, u, c);
  } else {
    multiply<ColumnsBand>(m, n, k, a, panels, u, c);
  }
}

}  // namespace kfac::KFAC_ISA
