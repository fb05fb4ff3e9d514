// Patches straight from images into packed panels, a few at a time.
#pragma once
#include "images.h"

namespace kfac::KFAC_ISA {

constexpr int even(int l) { return 2 * l; }

/// Copies n elements `step` floats apart. May write up to W - 1 more, zeros or whatever follows.
static inline void copy_line(const float* from, ptrdiff_t step, int n, float* to) {
  int i = 0;
  if (step == 1) {
    for (; i < n; i += W) store(to + i, load(from + i, n - i));
    return;
  }
  if (step == 2) {  // what lies between the elements is there, but for the last
    for (; i + W < n; i += W) store(to + i, shuffle<even>(load(from + 2 * i), load(from + 2 * i + W)));
  }
  for (; i < n; i++) to[i] = from[i * step];
}

/// Gathers the patches of one group. Samples come in units: runs of outputs in one row, CHUNK at most.
struct Gather {
  static constexpr int CHUNK = 256;  // samples of a panel in the first-level cache

  kfac_cpu_patch_samples c;
  Axis rows, columns;
  int features, dim;   // without and with the bias
  int pieces;          // units of a row
  bool direct;         // patches are pixels, and packed as such
  bool apart = false;  // no two kernel columns share a line

  explicit Gather(const kfac_cpu_patch_samples& conv)
      : c(flattened(conv)), rows(Axis::rows(c)), columns(Axis::columns(c)),
        features((int)(c.channels * c.kernel_height * c.kernel_width)), dim(features + (int)c.bias),
        pieces((columns.outputs() + CHUNK - 1) / CHUNK), direct(is_pixel(c)) {
    apart = shorter_apart();
  }

  static bool is_pixel(const kfac_cpu_patch_samples& c) {
    return c.kernel_height * c.kernel_width == 1 && c.padding_height == 0 && c.padding_width == 0;
  }

  /// Images whose patches are all their pixels become one row, and one image if they lie like that.
  static kfac_cpu_patch_samples flattened(kfac_cpu_patch_samples c) {
    if (!is_pixel(c) || c.stride_height > 1 || c.stride_width > 1) return c;
    c.width *= c.height;
    c.height = 1;
    if (c.width == 1) c.position_stride = c.example_stride;
    if (c.example_stride == c.width * c.position_stride) {
      c.width *= c.examples;
      c.examples = 1;
    }
    return c;
  }

  int units() const { return (int)c.examples * rows.outputs() * pieces; }
  int piece_start(int piece) const { return (int)((int64_t)columns.outputs() * piece / pieces); }
  int longest() const { return (columns.outputs() + pieces - 1) / pieces; }
  int together() const { return most(1, CHUNK / longest()); }  // units of a chunk
  int samples() const { return together() * longest(); }
  int samples(int first, int end) const {
    auto before = [this](int u) { return u / pieces * columns.outputs() + piece_start(u % pieces); };
    return before(end) - before(first);
  }

  // A line holds what one kernel row of one channel reads for one unit, zeros beyond the image; with a stride, first
  // the pixels that the first kernel column sees, then those one further, and so on, so that outputs lie side by side.
  // Where that would be longer, as with large strides and dilations, each kernel column has its own pixels instead.
  int reach() const { return longest() + (apart ? 0 : (columns.kernel - 1) * columns.dilation / columns.stride); }
  int runs() const { return apart ? columns.kernel : columns.stride; }
  int phase_floats() const { return round_up(reach(), W) + W; }
  ptrdiff_t line_floats() const { return (ptrdiff_t)runs() * phase_floats(); }
  bool shorter_apart() const {
    Gather other = *this;
    other.apart = true;
    return other.line_floats() < line_floats();
  }
  int lines() const { return least(Q, (Q - 2) / columns.kernel + 2); }  // that a panel of coordinates touches at most
  int side_by_side() const { return pieces > 1 ? 1 : most(1, W / longest()); }  // units that one vector has room for
  size_t scratch_floats() const { return (size_t)lines() * side_by_side() * line_floats(); }

  /// Writes coordinates [panel Q, panel Q + Q) of the patches of units [first, end) to out[sample * Q + coordinate].
  void pack(const float* images, int panel, int first, int end, double* out, float* scratch) const {
    if (panel * Q >= features) {
      memset(out, 0, sizeof(double) * Q * samples(first, end));
    } else if (direct) {
      pack_pixels(images, panel, first, end, out);
    } else {
      pack_patches(images, panel, first, end, out, scratch);
    }
    int bias = features - panel * Q;
    if (c.bias && bias >= 0 && bias < Q) {
      for (int s = samples(first, end) - 1; s >= 0; s--) out[s * Q + bias] = 1;
    }
  }

  struct Unit {
    int example, row, start, length;
  };
  Unit unit(int u) const {
    int piece = u % pieces, row = u / pieces, start = piece_start(piece);
    return {row / rows.outputs(), row % rows.outputs(), start, piece_start(piece + 1) - start};
  }

  void pack_pixels(const float* images, int panel, int first, int end, double* out) const {
    kfac_cpu_patch_samples strided = c;
    strided.position_stride *= columns.stride;
    for (int k = first; k < end; k++) {
      Unit u = unit(k);
      ptrdiff_t position = (ptrdiff_t)u.row * rows.stride * columns.size + (ptrdiff_t)u.start * columns.stride;
      const float* from = images + u.example * c.example_stride + position * c.position_stride;
      if (c.position_stride == 1 && columns.stride > 1) {
        pack_some_pixels(from + panel * Q * c.channel_stride, least(Q, features - panel * Q), u.length, out);
      } else {
        pack_positions(strided, from, panel * Q, 0, u.length, out);
      }
      out += (size_t)u.length * Q;
    }
  }

  /// Every `stride`th pixel, where pixels lie side by side: the others are read, too.
  void pack_some_pixels(const float* from, int count, int length, double* out) const {
    int stride = columns.stride, kept = (W - 1) / stride + 1;
    for (int s = 0; s < length; s += kept, from += kept * stride) {
      vf v[W];
      const float* channel = from;
      for (int i = 0; i < W; i++, channel += c.channel_stride) {
        v[i] = i < count ? load(channel, (length - s - 1) * stride + 1) : vf{};
      }
      transpose(v);
      for (int i = 0; i < least(kept, length - s); i++) store_wide(out + (s + i) * Q, v[i * stride]);
    }
  }

  /// The kernel rows, each of one channel, that a panel of coordinates touches.
  struct Lines {
    int count;
    ptrdiff_t channel[Q];  // where it begins
    int row[Q];            // of the image, for output 0
  };

  void pack_patches(const float* images, int panel, int first, int end, double* out, float* scratch) const {
    int count = least(Q, features - panel * Q), line = panel * Q / columns.kernel;
    Lines lines;
    lines.count = (panel * Q + count - 1) / columns.kernel - line + 1;
    for (int i = 0; i < lines.count; i++) {
      lines.channel[i] = (line + i) / rows.kernel * c.channel_stride;
      lines.row[i] = (line + i) % rows.kernel * rows.dilation - rows.padding;
    }
    const float* start[Q];
    for (int i = 0; i < count; i++) {
      int coordinate = panel * Q + i, column = coordinate % columns.kernel, shift = column * columns.dilation;
      ptrdiff_t run = apart ? column : shift % columns.stride;
      start[i] = scratch + (coordinate / columns.kernel - line) * line_floats() + run * phase_floats() +
                 (apart ? 0 : shift / columns.stride);
    }
    ptrdiff_t step = (ptrdiff_t)lines.count * line_floats();
    for (int k = first; k < end;) {
      int units = least(end - k, side_by_side()), length = 0;
      for (int i = 0; i < units; i++, k++) {
        Unit u = unit(k);
        length = u.length;
        fill(images + u.example * c.example_stride, lines, u, scratch + i * step);
      }
      if (units == 1) {
        transpose_long(start, count, length, out);
      } else {
        transpose_short(start, count, units, step - length, length, out);
      }
      out += (size_t)units * length * Q;
    }
  }

  void transpose_long(const float* const* start, int count, int length, double* out) const {
    for (int s = 0; s < length; s += W) {
      vf v[W];
#pragma GCC unroll 16
      for (int i = 0; i < W; i++) v[i] = i < count ? load(start[i] + s) : vf{};
      transpose(v);
      for (int i = 0; i < least(W, length - s); i++) store_wide(out + (s + i) * Q, v[i]);
    }
  }

  /// Some units that fit into one vector, side by side.
  void transpose_short(const float* const* start, int count, int units, ptrdiff_t step, int length, double* out) const {
    vf v[W];
    for (int i = 0; i < W; i++) {
      v[i] = vf{};
      if (i >= count) continue;
      v[i] = load(start[i]);
      for (int u = 1; u < units; u++) v[i] = choose_lanes(v[i], load(start[i] + u * step), u * length);
    }
    transpose(v);
    for (int i = 0; i < units * length; i++) store_wide(out + i * Q, v[i]);
  }

  /// Fills the lines of one unit.
  void fill(const float* image, const Lines& lines, const Unit& u, float* out) const {
    int stride = columns.stride, n = reach();
    int filled = apart ? columns.kernel : least(stride, (columns.kernel - 1) * columns.dilation + 1);
    for (int run = 0; run < filled; run++, out += phase_floats()) {
      int x = u.start * stride + (apart ? run * columns.dilation : run) - columns.padding;  // of the first element
      int from = least(n, most(0, (stride - 1 - x) / stride)),
          to = least(n, most(0, (columns.size - x + stride - 1) / stride));
      for (int i = 0; i < lines.count; i++) {
        float* line = out + (ptrdiff_t)i * line_floats();
        int y = u.row * rows.stride + lines.row[i];
        bool inside = y >= 0 && y < rows.size && from < to;
        if (inside) {
          ptrdiff_t position = (ptrdiff_t)y * columns.size + x + (ptrdiff_t)from * stride;
          for (int k = 0; k < from; k += W) store(line + k, vf{});
          copy_line(image + lines.channel[i] + position * c.position_stride, stride * c.position_stride, to - from,
                    line + from);
        }
        for (int k = inside ? to : 0; k < n; k += W) store(line + k, vf{});
      }
    }
  }
};

}  // namespace kfac::KFAC_ISA
