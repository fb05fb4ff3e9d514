// Correlations by the Wiener-Khinchin theorem: transform every image, multiply spectra, transform back only the shifts
// that are needed. The lines at the edges go the same way in one dimension.
#pragma once
#include "assembly.h"
#include "cross.h"
#include "spectrum.h"

namespace kfac::KFAC_ISA {

/// Doubles of spectra that are held at a time.
constexpr size_t SPECTRA_LIMIT = (size_t)1 << 22;

struct SpectralPlan : Plan {
  Geometry g;
  Assembly assembly;
  Fft rows, columns;
  int slices;         // tasks into which the frequencies of one pair of panels are cut
  int chunk, chunks;  // images

  explicit SpectralPlan(const AccumulateRequest& request) : g(request.conv), assembly{request, {g, 1, nullptr}} {
    rows.set(Fft::length(g.rows.size + g.rows.kernel - 1));
    columns.set(Fft::length(g.columns.size + g.columns.kernel - 1));
    slices = most(1, 6 / g.pairs());
    assembly.t.slices = slices;
    size_t one = spectra(1, nullptr).doubles();
    chunk = most(1, least(g.examples, (int)(SPECTRA_LIMIT / one)));
    chunks = (g.examples + chunk - 1) / chunk;
  }

  Spectra spectra(int images, double* data) const { return {assembly.request, g, &rows, &columns, images, data}; }

  // Phases: for each chunk of images, transforming and multiplying; then assembly.
  int phases() const override { return 2 * chunks + 1; }

  int images(int c) const { return least(chunk, g.examples - c * chunk); }

  int tasks(int phase) const override {
    if (phase == 2 * chunks) return assembly.tasks();
    if (phase % 2 == 0) return images(phase / 2) * g.panels + (phase == 0 ? 1 : 0);
    int r = g.rows.edge(), c = g.columns.edge();
    return g.pairs() * (slices + 2 * r * r + 2 * c * c + 1);
  }

  /// Shifts of whole images up to sign: those to the right in the same row, and all in the rows below.
  int shifts() const { return g.columns.kernel + (g.rows.kernel - 1) * g.columns.shifts(); }

  Inverse whole_inverse(double* weights) const { return {Inverse::padded(shifts()), weights}; }
  Inverse row_inverse(double* weights) const {
    Inverse whole = whole_inverse(weights);
    size_t frequencies = spectra(1, nullptr).frequencies();
    return {Inverse::padded(g.columns.kernel), weights + 2 * frequencies * whole.shifts};
  }
  Inverse column_inverse(double* weights) const {
    Inverse row = row_inverse(weights);
    size_t frequencies = spectra(1, nullptr).row_frequencies();
    return {Inverse::padded(g.rows.kernel), row.weights + 2 * frequencies * row.shifts};
  }
  size_t weight_doubles() const {
    Inverse last = column_inverse(nullptr);
    size_t frequencies = spectra(1, nullptr).column_frequencies();
    return (size_t)(last.weights - (double*)nullptr) + 2 * frequencies * last.shifts;
  }

  size_t shared_floats() const override {
    return 2 * (assembly.t.doubles() + round_up((int)weight_doubles(), Q) + spectra(chunk, nullptr).doubles());
  }

  size_t scratch_floats() const override {
    size_t needs[] = {assembly.scratch_floats(), 2 * spectra(1, nullptr).scratch_doubles(),
                      2 * cross_doubles(whole_inverse(nullptr).shifts)};
    size_t most = 0;
    for (size_t need : needs) most = need > most ? need : most;
    return most;
  }

  void run(int phase, int task, float* shared, float* scratch) const override {
    Assembly bound = assembly;
    bound.t.data = (double*)shared;
    double *weights = bound.t.data + assembly.t.doubles(), *work = (double*)scratch;
    Spectra all = spectra(chunk, weights + round_up((int)weight_doubles(), Q));
    int c = phase / 2, n = images(least(c, chunks - 1));
    if (phase == 2 * chunks) {
      bound.run(task, scratch);
    } else if (phase % 2 == 1) {
      multiply_spectra(task, c == 0, n, bound.t, all, weights, work);
    } else if (task == n * g.panels) {
      set_weights(weights);
    } else {
      all.transform(c * chunk + task % n, task % n, task / n, work);
    }
  }

  /// Frequencies other than those that are their own mirror image along a row stand for two.
  static double share(const Fft& fft, int f) { return (f == 0 || 2 * f == fft.n ? 1.0 : 2.0) / fft.n; }

  void set_line(const Inverse& inverse, const Fft& fft, int count) const {
    for (int f = 0; f <= fft.n / 2; f++) {
      double* to = inverse.weights + (size_t)f * 2 * inverse.shifts;
      memset(to, 0, sizeof(double) * 2 * inverse.shifts);
      for (int d = 0; d < count; d++) {
        to[d] = share(fft, f) * fft.c[f * d % fft.n];
        to[inverse.shifts + d] = share(fft, f) * fft.s[f * d % fft.n];
      }
    }
  }

  void set_weights(double* weights) const {
    set_line(row_inverse(weights), columns, g.columns.kernel);
    set_line(column_inverse(weights), rows, g.rows.kernel);
    Inverse whole = whole_inverse(weights);
    for (int fc = 0; fc <= columns.n / 2; fc++) {
      for (int fr = 0; fr < rows.n; fr++) {
        double* to = weights + ((size_t)fc * rows.n + fr) * 2 * whole.shifts;
        memset(to, 0, sizeof(double) * 2 * whole.shifts);
        double scale = share(columns, fc) / rows.n;
        for (int d = 0; d < shifts(); d++) {
          int dr, dc;
          shift(d, dr, dc);
          int r = fr * dr % rows.n, c = ((fc * dc) % columns.n + columns.n) % columns.n;
          to[d] = scale * (rows.c[r] * columns.c[c] - rows.s[r] * columns.s[c]);
          to[whole.shifts + d] = scale * (rows.s[r] * columns.c[c] + rows.c[r] * columns.s[c]);
        }
      }
    }
  }

  void shift(int index, int& dr, int& dc) const {
    int below = index - g.columns.kernel;
    dr = below < 0 ? 0 : 1 + below / g.columns.shifts();
    dc = below < 0 ? index : below % g.columns.shifts() - (g.columns.kernel - 1);
  }

  void multiply_spectra(int task, bool first, int n, const Tables& t, const Spectra& all, double* weights,
                        double* scratch) const {
    int pair = task % g.pairs(), kind = task / g.pairs(), i, j;
    Geometry::split(pair, i, j);
    size_t stride = (size_t)g.panels * all.line_doubles();
    if (kind < slices) {
      Inverse inverse = whole_inverse(weights);
      size_t from = all.frequencies() * kind / slices, to = all.frequencies() * (kind + 1) / slices;
      inverse.weights += from * 2 * inverse.shifts;
      Parts parts = correlate(n, (int)(to - from), all.whole(from, i), all.whole(from, j), stride, inverse, scratch);
      for (int d = 0; d < shifts(); d++) {
        int dr, dc;
        shift(d, dr, dc);
        write_shift(parts, d, first, t.image(kind, dr, dc, pair), t.image(kind, -dr, -dc, pair));
      }
      return;
    }
    kind -= slices;
    int e = g.rows.edge();
    if (kind < 2 * e * e) {
      EdgePair edge = {kind / (e * e), kind / e % e, kind % e};
      const double *a = all.row(edge.side, edge.a, 0, i), *b = all.row(edge.side, edge.b, 0, j);
      Parts parts = correlate(n, all.row_frequencies(), a, b, stride, row_inverse(weights), scratch);
      for (int d = 0; d < g.columns.kernel; d++)
        write_shift(parts, d, first, t.row(edge, d, pair), t.row(edge, -d, pair));
      return;
    }
    kind -= 2 * e * e;
    e = g.columns.edge();
    if (kind < 2 * e * e) {
      EdgePair edge = {kind / (e * e), kind / e % e, kind % e};
      const double *a = all.column(edge.side, edge.a, 0, i), *b = all.column(edge.side, edge.b, 0, j);
      Parts parts = correlate(n, all.column_frequencies(), a, b, stride, column_inverse(weights), scratch);
      for (int d = 0; d < g.rows.kernel; d++)
        write_shift(parts, d, first, t.column(edge, d, pair), t.column(edge, -d, pair));
      return;
    }
    corners(pair, first, n, t, all);
  }

  void corners(int pair, bool first, int n, const Tables& t, const Spectra& all) const {
    int i, j, r = g.rows.edge(), c = g.columns.edge();
    Geometry::split(pair, i, j);
    for (int e = 0; e < 2 * r * r; e++) {
      for (int f = 0; f < 2 * c * c; f++) {
        EdgePair row = {e / (r * r), e / r % r, e % r}, column = {f / (c * c), f / c % c, f % c};
        double* block = t.corner(row, column, pair);
        if (first) memset(block, 0, sizeof(double) * Q * Q);
        const double* a = all.pixel(row.side, row.a, column.side, column.a, i);
        const double* b = all.pixel(row.side, row.b, column.side, column.b, j);
        for (int k = 0; k < Q; k += M) add_tile(1, n, a + k, {Q, 0}, b, {Q, 0}, block + k * Q, Q);
      }
    }
  }
};

}  // namespace kfac::KFAC_ISA
