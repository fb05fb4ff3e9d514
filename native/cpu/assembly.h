// From correlations to the second moment.
#pragma once
#include "correlations.h"

namespace kfac::KFAC_ISA {

constexpr int ROWS = Q < 8 ? Q : 8;  // channels of one task, all of one panel

/// What A[(., u), (., v)] is made of: blocks to add and to subtract.
struct Terms {
  const double* add[64];
  const double* subtract[64];
  int added = 0, subtracted = 0;

  Terms(const Tables& t, int u, int v, int pair) {
    const Axis &rows = t.g.rows, &columns = t.g.columns;
    int ur = u / columns.kernel, uc = u % columns.kernel, vr = v / columns.kernel, vc = v % columns.kernel;
    EdgePair row[16], column[16];
    int row_count = rows.excluded(ur, vr, row), column_count = columns.excluded(uc, vc, column);
    for (int s = 0; s < t.slices; s++) add[added++] = t.image(s, vr - ur, vc - uc, pair);
    for (int r = 0; r < row_count; r++) subtract[subtracted++] = t.row(row[r], vc - uc, pair);
    for (int c = 0; c < column_count; c++) subtract[subtracted++] = t.column(column[c], vr - ur, pair);
    for (int r = 0; r < row_count; r++) {
      for (int c = 0; c < column_count; c++) add[added++] = t.corner(row[r], column[c], pair);
    }
  }

  vd sum(size_t at) const {
    vd total = {};
    for (int k = 0; k < added; k++) total += load(add[k] + at);
    for (int k = 0; k < subtracted; k++) total -= load(subtract[k] + at);
    return total;
  }

  /// Q elements, weighted and rounded.
  void sum(size_t at, double weight, float* to) const {
    for (int half = 0; half < Q; half += D) {
      *(vhu*)(to + half) = __builtin_convertvector(sum(at + half) * weight, vh);
    }
  }
};

/// The largest kernel that `Terms` has room for, in either dimension.
constexpr int MAX_KERNEL = 7;

struct Assembly {
  AccumulateRequest request;
  Tables t;

  int kernel() const { return t.g.rows.kernel * t.g.columns.kernel; }
  int dim() const { return t.g.channels * kernel() + (int)request.conv.bias; }
  int tasks() const { return (t.g.channels + ROWS - 1) / ROWS; }
  size_t scratch_floats() const {
    size_t sums = 2 * (size_t)ROWS * t.g.rows.size * t.g.columns.size + 2 * t.g.rows.size;
    size_t blocks = (size_t)kernel() * kernel() * Q * ROWS + line_floats();
    return (sums > blocks ? sums : blocks) + 16;
  }

  void put(size_t row, size_t column, float weighted) const {
    float* at = request.target + row * dim() + column;
    *at = request.decay == 0 ? weighted : (float)request.decay * *at + weighted;
  }

  /// Rows of A for some channels, and their mirror images.
  void run(int task, float* scratch) const {
    int first = task * ROWS, last = least(t.g.channels, first + ROWS);
    for (int j = 0; j <= first / Q; j++) block(first, last, j, scratch);
    if (request.conv.bias) bias(first, last, (double*)scratch);
  }

  /// A[(r, u), (c, v)] for channels r of this task and c of panel j: values[((r * kernel + u) * kernel + v) * Q + c].
  void block(int first, int last, int j, float* values) const {
    int kk = kernel(), count = last - first, i = first / Q;
    for (int u = 0; u < kk; u++) {
      for (int v = 0; v < kk; v++) {
        Terms terms(t, u, v, Geometry::pair(i, j));
        for (int r = 0; r < count; r++) {
          size_t at = (size_t)(first % Q + r) * Q;
          float* to = values + ((size_t)(r * kk + u) * kk + v) * Q;
          terms.sum(at, request.weight, to);
        }
      }
    }
    float* line = values + (size_t)kk * kk * Q * ROWS;
    if (i == j) {
      diagonal(first, count, values);
    } else {
      for (int m = 0; m < count * kk; m++) {
        for (int v = round_up(kk, W) - W; v >= 0; v -= W) {  // backwards: whole vectors reach into the next channel
          transpose_to(values + ((size_t)m * kk + v) * Q, Q, least(W, kk - v), W, line + v, kk);
        }
        put_line((size_t)first * kk + m, (size_t)j * Q * kk, line, Q * kk);
      }
      int length = round_up(count * kk, W);
      for (int v = 0; v < kk; v++) {
        for (int m = 0; m < count * kk; m += W) {
          const float* from = values + ((size_t)m * kk + v) * Q;
          transpose_to(from, (ptrdiff_t)kk * Q, least(W, count * kk - m), W, line + m, length);
        }
        for (int c = 0; c < Q; c++) {
          put_line((size_t)(j * Q + c) * kk + v, (size_t)first * kk, line + c * length, count * kk);
        }
      }
    }
  }

  size_t line_floats() const { return (size_t)W * round_up(ROWS * kernel(), W) + (size_t)Q * kernel() + Q; }

  void put_line(size_t row, size_t column, const float* weighted, int count) const {
    float* to = request.target + row * dim() + column;
    float decay = (float)request.decay;
    if (decay == 0) {
      memcpy(to, weighted, sizeof(float) * count);
    } else {
      for (int k = 0; k < count; k++) to[k] = decay * to[k] + weighted[k];
    }
  }

  /// The block where rows and columns are channels of the same panel.
  void diagonal(int first, int count, const float* values) const {
    int kk = kernel(), panel = first / Q * Q;
    for (int r = 0; r < count; r++) {
      size_t row = (size_t)(first + r) * kk;
      for (int u = 0; u < kk; u++) {
        for (int v = 0; v < kk; v++) {
          const float* value = values + ((size_t)(r * kk + u) * kk + v) * Q;
          int own = first % Q + r;
          for (int c = 0; c <= own; c++) {
            if (c == own && v > u) continue;
            size_t column = (size_t)(panel + c) * kk + v;
            put(row + u, column, value[c]);
            if (column != row + u) put(column, row + u, value[c]);
          }
        }
      }
    }
  }

  /// The last row and column: sums of the pixels that each kernel position sees.
  void bias(int first, int last, double* sums) const {
    const kfac_cpu_patch_samples& c = request.conv;
    const Axis &rows = t.g.rows, &columns = t.g.columns;
    size_t pixels = (size_t)rows.size * columns.size;
    memset(sums, 0, sizeof(double) * (last - first) * pixels);
    for (int n = 0; n < t.g.examples; n++) {
      for (int i = first; i < last; i++) {
        const float* x = request.images + n * c.example_stride + i * c.channel_stride;
        double* sum = sums + (i - first) * pixels;
        for (size_t p = 0; p < pixels; p++) sum[p] += x[p * c.position_stride];
      }
    }
    size_t end = (size_t)dim() - 1;
    for (int i = first; i < last; i++) {
      const double* sum = sums + (i - first) * pixels;
      for (int u = 0; u < kernel(); u++) {
        int top = u / columns.kernel - rows.padding, left = u % columns.kernel - columns.padding;
        double total = 0;
        for (int y = most(0, top); y < least(rows.size, top + rows.outputs()); y++) {
          for (int x = most(0, left); x < least(columns.size, left + columns.outputs()); x++) {
            total += sum[y * columns.size + x];
          }
        }
        float weighted = (float)(request.weight * total);
        put(end, (size_t)i * kernel() + u, weighted);
        put((size_t)i * kernel() + u, end, weighted);
      }
    }
    double patches = (double)t.g.examples * rows.outputs() * columns.outputs();
    if (first == 0) put(end, end, (float)(request.weight * patches));
  }
};

}  // namespace kfac::KFAC_ISA
