// The second moment of patches as correlations of images, and where those are kept.
//
// Let a = u - padding be the offset of kernel position u, d = v - u, and x_i[y] channel i at pixel y, zero outside.
//   A[(i,u),(j,v)] = sum over outputs o of x_i[o + a] x_j[o + a + d]
//                  = R(d)[i][j] - (pixels y that are no o + a, as products x_i[y] x_j[y + d]),
// where R(d) is the correlation over all pixels. The excluded pixels are whole rows and columns at the edges: subtract
// the correlations of those lines and add back the corners that were subtracted twice.
#pragma once
#include "images.h"

namespace kfac::KFAC_ISA {

/// A convolution's sizes, channels counted in panels of Q.
struct Geometry {
  Axis rows, columns;
  int examples, channels, panels;

  explicit Geometry(const kfac_cpu_patch_samples& c)
      : rows(Axis::rows(c)), columns(Axis::columns(c)), examples((int)c.examples), channels((int)c.channels),
        panels(((int)c.channels + Q - 1) / Q) {}

  /// Pairs of panels i >= j.
  int pairs() const { return panels * (panels + 1) / 2; }
  static int pair(int i, int j) { return i * (i + 1) / 2 + j; }
  static void split(int pair, int& i, int& j) {
    for (i = 0, j = pair; j > i; i++) j -= i + 1;
  }
};

/// Blocks of Q x Q correlations, of channels of panel i with channels of panel j <= i, for each pair of panels.
struct Tables {
  Geometry g;
  int slices;  // partial sums of the correlations of whole images
  double* data;

  size_t images() const { return (size_t)slices * g.rows.shifts() * g.columns.shifts(); }
  static size_t lines(const Axis& across, const Axis& along) {
    return 2 * (size_t)across.edge() * across.edge() * along.shifts();
  }
  size_t corners() const {
    size_t pairs = (size_t)g.rows.edge() * g.rows.edge() * g.columns.edge() * g.columns.edge();
    return 4 * pairs;
  }
  size_t entries() const { return images() + lines(g.rows, g.columns) + lines(g.columns, g.rows) + corners(); }
  size_t doubles() const { return entries() * g.pairs() * Q * Q; }

  double* block(size_t entry, int pair) const { return data + (entry * g.pairs() + pair) * Q * Q; }

  /// R(dr, dc), one slice of it.
  double* image(int slice, int dr, int dc, int pair) const {
    size_t shift = (size_t)(dr + g.rows.kernel - 1) * g.columns.shifts() + dc + g.columns.kernel - 1;
    return block(slice * (images() / slices) + shift, pair);
  }

  /// The correlation of row a of an edge with row b, shifted by dc.
  double* row(EdgePair e, int dc, int pair) const {
    size_t line = ((size_t)e.side * g.rows.edge() + e.a) * g.rows.edge() + e.b;
    return block(images() + line * g.columns.shifts() + dc + g.columns.kernel - 1, pair);
  }

  double* column(EdgePair e, int dr, int pair) const {
    size_t line = ((size_t)e.side * g.columns.edge() + e.a) * g.columns.edge() + e.b;
    return block(images() + lines(g.rows, g.columns) + line * g.rows.shifts() + dr + g.rows.kernel - 1, pair);
  }

  double* corner(EdgePair row, EdgePair column, int pair) const {
    int r = g.rows.edge(), c = g.columns.edge();
    size_t rows = ((size_t)row.side * r + row.a) * r + row.b;
    size_t columns = ((size_t)column.side * c + column.a) * c + column.b;
    return block(images() + lines(g.rows, g.columns) + lines(g.columns, g.rows) + rows * 2 * c * c + columns, pair);
  }
};

}  // namespace kfac::KFAC_ISA
