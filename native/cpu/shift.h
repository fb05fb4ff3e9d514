// Correlations shift by shift: images are packed once, with zeros around them, and every shift is an offset.
#pragma once
#include "assembly.h"
#include "tile.h"

namespace kfac::KFAC_ISA {

/// Doubles of images that are packed at a time.
constexpr size_t PACKED_LIMIT = (size_t)1 << 20;

struct ShiftPlan : Plan {
  Geometry g;
  Assembly assembly;
  int width;          // of a packed row: zeros follow the pixels
  int lead;           // zeros before the first row
  size_t image;       // doubles of one packed image of one panel
  int chunk, chunks;  // images

  explicit ShiftPlan(const AccumulateRequest& request) : g(request.conv), assembly{request, {g, 1, nullptr}} {
    lead = g.columns.kernel - 1;
    width = g.columns.size + lead;
    image = ((size_t)lead + (size_t)g.rows.size * width) * Q;
    chunk = (int)(PACKED_LIMIT / (image * g.panels));
    chunk = most(1, least(g.examples, chunk));
    chunks = (g.examples + chunk - 1) / chunk;
  }

  // Phases: for each chunk of images, packing and correlating; then assembly.
  int phases() const override { return 2 * chunks + 1; }

  int images(int c) const { return least(chunk, g.examples - c * chunk); }

  int line_tasks(const Axis& axis) const { return 2 * axis.edge() * axis.edge() * g.pairs(); }

  int tasks(int phase) const override {
    if (phase == 2 * chunks) return assembly.tasks();
    if (phase % 2 == 0) return images(phase / 2) * g.panels;
    return g.pairs() * (g.rows.shifts() + 1) + line_tasks(g.rows) + line_tasks(g.columns);
  }

  size_t packed_doubles() const { return (size_t)chunk * g.panels * image; }
  size_t shared_floats() const override { return 2 * (assembly.t.doubles() + packed_doubles()); }
  size_t scratch_floats() const override { return assembly.scratch_floats(); }

  void run(int phase, int task, float* shared, float* scratch) const override {
    Assembly bound = assembly;
    bound.t.data = (double*)shared;
    double* packed = bound.t.data + assembly.t.doubles();
    int c = phase / 2, n = images(least(c, chunks - 1));
    if (phase == 2 * chunks) {
      bound.run(task, scratch);
    } else if (phase % 2 == 0) {
      pack(c * chunk + task % n, task / n, packed + ((size_t)(task / n) * chunk + task % n) * image);
    } else {
      Correlator{*this, bound.t, packed, n, c == 0}.run(task);
    }
  }

  void pack(int n, int panel, double* out) const {
    const kfac_cpu_patch_samples& c = assembly.request.conv;
    const float* from = assembly.request.images + n * c.example_stride;
    memset(out, 0, sizeof(double) * lead * Q);
    for (int y = 0; y < g.rows.size; y++) {
      double* row = out + ((size_t)lead + (size_t)y * width) * Q;
      pack_positions(c, from, panel * Q, y * g.columns.size, g.columns.size, row);
      memset(row + (size_t)g.columns.size * Q, 0, sizeof(double) * lead * Q);
    }
  }

  /// The tasks of one chunk.
  struct Correlator {
    const ShiftPlan& plan;
    const Tables& t;
    const double* packed;
    int images;
    bool first;  // chunk: it overwrites

    void run(int task) const {
      const Geometry& g = plan.g;
      int pairs = g.pairs(), pair = task % pairs, kind = task / pairs;
      if (kind < g.rows.shifts()) return whole(kind - g.rows.kernel + 1, pair);
      kind -= g.rows.shifts();
      int e = g.rows.edge(), rows = 2 * e * e;
      if (kind < rows) return row({kind / (e * e), kind / e % e, kind % e}, pair);
      kind -= rows;
      e = g.columns.edge();
      int columns = 2 * e * e;
      if (kind < columns) return column({kind / (e * e), kind / e % e, kind % e}, pair);
      corners(pair);
    }

    const double* at(int panel, int y, int x) const {
      return packed + (size_t)panel * plan.chunk * plan.image + ((size_t)plan.lead + (size_t)y * plan.width) * Q +
             (ptrdiff_t)x * Q;
    }

    /// Adds the products of `length` pixels from a with those from b, in each image.
    void correlate(const double* a, const double* b, int runs, int length, ptrdiff_t step, double* block) const {
      Strides strides = {step, (ptrdiff_t)plan.image};
      for (int i = 0; i < Q; i += M) add_tile(runs, length, a + i, strides, b, strides, block + i * Q, Q);
    }

    void clear(double* block) const {
      if (first) memset(block, 0, sizeof(double) * Q * Q);
    }

    /// R(dr, .): images are walked in pieces that stay in the first-level cache for all shifts.
    void whole(int dr, int pair) const {
      const Geometry& g = plan.g;
      int i, j, k = g.columns.kernel;
      Geometry::split(pair, i, j);
      for (int dc = 1 - k; dc < k; dc++) clear(t.image(0, dr, dc, pair));
      int from = most(0, -dr), to = g.rows.size - most(0, dr);
      int piece = most(1, 256 / plan.width),
          together = to - from <= piece ? most(1, 256 / most(1, (to - from) * plan.width)) : 1;
      for (int n = 0; n < images; n += together) {
        int runs = least(together, images - n);
        for (int y = from; y < to; y += piece) {
          int length = least(piece, to - y) * plan.width;
          const double* a = at(i, y, 0) + n * plan.image;
          const double* b = at(j, y + dr, 0) + n * plan.image;
          for (int dc = 1 - k; dc < k; dc++) {
            // what follows a row is zero, so the last pixels of a piece that reach beyond it may be left out
            int used = y + piece >= to ? length - (k - 1) : length;
            correlate(a, b + (ptrdiff_t)dc * Q, runs, used, Q, t.image(0, dr, dc, pair));
          }
        }
      }
    }

    void row(EdgePair e, int pair) const {
      const Axis &rows = plan.g.rows, &columns = plan.g.columns;
      int i, j;
      Geometry::split(pair, i, j);
      for (int dc = 1 - columns.kernel; dc < columns.kernel; dc++) {
        double* block = t.row(e, dc, pair);
        clear(block);
        const double* a = at(i, rows.line(e.side, e.a), 0);
        const double* b = at(j, rows.line(e.side, e.b), dc);
        correlate(a, b, images, columns.size, Q, block);
      }
    }

    void column(EdgePair e, int pair) const {
      const Axis &rows = plan.g.rows, &columns = plan.g.columns;
      int i, j;
      Geometry::split(pair, i, j);
      for (int dr = 1 - rows.kernel; dr < rows.kernel; dr++) {
        double* block = t.column(e, dr, pair);
        clear(block);
        int from = most(0, -dr), to = least(rows.size, rows.size - dr);
        if (from >= to) continue;
        const double* a = at(i, from, columns.line(e.side, e.a));
        const double* b = at(j, from + dr, columns.line(e.side, e.b));
        correlate(a, b, images, to - from, (ptrdiff_t)plan.width * Q, block);
      }
    }

    void corners(int pair) const {
      const Axis &rows = plan.g.rows, &columns = plan.g.columns;
      int i, j, r = rows.edge(), c = columns.edge();
      Geometry::split(pair, i, j);
      for (int e = 0; e < 2 * r * r; e++) {
        for (int f = 0; f < 2 * c * c; f++) {
          EdgePair row = {e / (r * r), e / r % r, e % r}, column = {f / (c * c), f / c % c, f % c};
          double* block = t.corner(row, column, pair);
          clear(block);
          const double* a = at(i, rows.line(row.side, row.a), columns.line(column.side, column.a));
          const double* b = at(j, rows.line(row.side, row.b), columns.line(column.side, column.b));
          correlate(a, b, images, 1, Q, block);
        }
      }
    }
  };
};

}  // namespace kfac::KFAC_ISA
