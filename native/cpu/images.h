// A convolution's images: their dimensions, and how they are read.
#pragma once
#include "vector.h"
#include "verbs.h"

namespace kfac::KFAC_ISA {

/// An excluded line and its partner, both counted from the edge of their side: 0 top or left, 1 bottom or right.
struct EdgePair {
  int side, a, b;
};

/// One dimension of a convolution. What follows `outputs` is for a stride and dilation of 1.
struct Axis {
  int size, kernel, padding, stride, dilation;

  int outputs() const { return (size + 2 * padding - dilation * (kernel - 1) - 1) / stride + 1; }

  static Axis rows(const kfac_cpu_patch_samples& c) {
    return {(int)c.height, (int)c.kernel_height, (int)c.padding_height, (int)c.stride_height, (int)c.dilation_height};
  }
  static Axis columns(const kfac_cpu_patch_samples& c) {
    return {(int)c.width, (int)c.kernel_width, (int)c.padding_width, (int)c.stride_width, (int)c.dilation_width};
  }
  int shifts() const { return 2 * kernel - 1; }

  /// Lines at each edge that some kernel position excludes.
  int edge() const { return least(size, most(0, kernel - 1 - padding)); }

  /// The pixel that a line of an edge is.
  int line(int side, int q) const { return side ? size - 1 - q : q; }

  /// Lines that kernel position u excludes and whose partner under u -> v lies inside; `pairs` has room for `kernel`.
  int excluded(int u, int v, EdgePair* pairs) const {
    int count = 0;
    for (int a = 0; a < least(size, u - padding); a++) {
      int b = a + v - u;
      if (b >= 0 && b < size) pairs[count++] = {0, a, b};
    }
    for (int a = 0; a < least(size, kernel - 1 - padding - u); a++) {
      int b = a - (v - u);
      if (b >= 0 && b < size) pairs[count++] = {1, a, b};
    }
    return count;
  }
};

/// Copies positions of channels [first, first + Q) as doubles to out[position * Q + channel], zero beyond the last
/// channel.
static inline void pack_positions(const kfac_cpu_patch_samples& c, const float* image, int first, int position,
                                  int count, double* out) {
  int channels = least(Q, (int)c.channels - first);
  const float* from = image + first * c.channel_stride + position * c.position_stride;
  if (c.position_stride == 1) {
    for (int p = 0; p < count; p += W) {
      int some = least(W, count - p);
      vf v[W];
      for (int r = 0; r < W; r++) v[r] = r < channels ? load(from + r * c.channel_stride + p, some) : vf{};
      transpose(v);
      for (int k = 0; k < some; k++) store_wide(out + (p + k) * Q, v[k]);
    }
  } else {
    for (int p = 0; p < count; p++, from += c.position_stride, out += Q) store_wide(out, load(from, channels));
  }
}

}  // namespace kfac::KFAC_ISA
