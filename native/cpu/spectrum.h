// Spectra of images, of lines at their edges, and the pixels in their corners.
#pragma once
#include "correlations.h"
#include "fft.h"

namespace kfac::KFAC_ISA {

/// Where the spectra of a chunk of images lie: for each frequency, panel and image Q real parts and Q imaginary parts.
struct Spectra {
  const AccumulateRequest& request;
  Geometry g;
  const Fft *rows, *columns;  // the transforms along a column of pixels, and along a row
  int images;                 // room for so many
  double* data;

  int row_frequencies() const { return columns->n / 2 + 1; }
  int column_frequencies() const { return rows->n / 2 + 1; }
  size_t frequencies() const { return (size_t)row_frequencies() * rows->n; }
  size_t row_lines() const { return 2 * (size_t)g.rows.edge() * row_frequencies(); }
  size_t column_lines() const { return 2 * (size_t)g.columns.edge() * column_frequencies(); }
  size_t pixels() const { return 4 * (size_t)g.rows.edge() * g.columns.edge(); }

  size_t line_doubles() const { return (size_t)images * 2 * Q; }  // one frequency of one panel
  size_t doubles() const {
    size_t spectra = frequencies() + row_lines() + column_lines();
    return (spectra * line_doubles() + pixels() * images * Q) * g.panels;
  }

  /// The values of all images at one frequency, counted along columns of pixels first.
  double* whole(size_t frequency, int panel) const { return data + (frequency * g.panels + panel) * line_doubles(); }
  double* row(int side, int line, int frequency, int panel) const {
    size_t index = ((size_t)side * g.rows.edge() + line) * row_frequencies() + frequency;
    return whole(frequencies() + index, panel);
  }
  double* column(int side, int line, int frequency, int panel) const {
    size_t index = ((size_t)side * g.columns.edge() + line) * column_frequencies() + frequency;
    return whole(frequencies() + row_lines() + index, panel);
  }
  double* pixel(int row_side, int row, int column_side, int column, int panel) const {
    size_t index = (((size_t)row_side * g.rows.edge() + row) * 2 + column_side) * g.columns.edge() + column;
    double* first = whole(frequencies() + row_lines() + column_lines(), 0);
    return first + (index * g.panels + panel) * images * Q;
  }

  size_t scratch_doubles() const {
    size_t grid = (size_t)rows->n * columns->n, longest = rows->n > columns->n ? rows->n : columns->n;
    return (grid + 2 * longest) * 2 * D + (size_t)g.rows.size * g.columns.size * Q;
  }

  /// Writes the spectra of the two real signals that were transformed as real and imaginary part of one.
  static void separate(Complex z, Complex mirrored, double* out) {
    store(out, 0.5 * (z.re + mirrored.re));
    store(out + D, 0.5 * (z.im + mirrored.im));
    store(out + Q, 0.5 * (z.im - mirrored.im));
    store(out + Q + D, 0.5 * (mirrored.re - z.re));
  }

  /// Transforms one panel of image n, which takes place `slot`.
  void transform(int n, int slot, int panel, double* scratch) const {
    int height = g.rows.size, width = g.columns.size, h = rows->n, w = columns->n;
    Complex* grid = (Complex*)scratch;  // by column, then row
    Complex* x = grid + (size_t)h * w;
    Complex* y = x + (h > w ? h : w);
    double* pixels = (double*)(y + (h > w ? h : w));
    pack_positions(request.conv, request.images + n * request.conv.example_stride, panel * Q, 0, height * width,
                   pixels);
    for (int row = 0; row < height; row++) {
      for (int c = 0; c < w; c++) {
        const double* p = pixels + ((size_t)row * width + c) * Q;
        x[c] = c < width ? Complex{load(p), load(p + D)} : Complex{};
      }
      const Complex* z = columns->run(x, y);
      for (int c = 0; c < w; c++) grid[(size_t)c * h + row] = z[c];
    }
    size_t offset = (size_t)slot * 2 * Q;
    for (int side = 0; side < 2; side++) {
      for (int q = 0; q < g.rows.edge(); q++) {
        int line = g.rows.line(side, q);
        for (int f = 0; f < row_frequencies(); f++) {
          separate(grid[(size_t)f * h + line], grid[(size_t)((w - f) % w) * h + line], row(side, q, f, panel) + offset);
        }
      }
      for (int q = 0; q < g.columns.edge(); q++) {
        int line = g.columns.line(side, q);
        for (int r = 0; r < h; r++) {
          const double* p = pixels + ((size_t)r * width + line) * Q;
          x[r] = r < height ? Complex{load(p), load(p + D)} : Complex{};
        }
        const Complex* z = rows->run(x, y);
        for (int f = 0; f < column_frequencies(); f++)
          separate(z[f], z[(h - f) % h], column(side, q, f, panel) + offset);
      }
      for (int q = 0; q < 2 * g.rows.edge() * g.columns.edge(); q++) {
        int line = q / 2 / g.columns.edge(), across = q / 2 % g.columns.edge();
        size_t at = (size_t)g.rows.line(side, line) * width + g.columns.line(q % 2, across);
        memcpy(pixel(side, line, q % 2, across, panel) + (size_t)slot * Q, pixels + at * Q, sizeof(double) * Q);
      }
    }
    for (int c = 0; c < w; c++) {
      for (int r = 0; r < h; r++) x[r] = r < height ? grid[(size_t)c * h + r] : Complex{};
      const Complex* z = rows->run(x, y);
      memcpy(grid + (size_t)c * h, z, sizeof(Complex) * h);
    }
    for (int c = 0; c < row_frequencies(); c++) {
      const Complex *z = grid + (size_t)c * h, *mirrored = grid + (size_t)((w - c) % w) * h;
      for (int r = 0; r < h; r++) separate(z[r], mirrored[(h - r) % h], whole((size_t)c * h + r, panel) + offset);
    }
  }
};

}  // namespace kfac::KFAC_ISA
