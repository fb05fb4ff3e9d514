// Which rows and columns of the planes a product takes: its tokens, the K of the product, and its columns. All
// divisions are done before the main loop.
#pragma once
#include "platform.cuh"
#include "view.h"

namespace kfac {

constexpr int TOKEN_STEP = 32;  // that a thread of the product loop goes on at a time

inline int up(int n, int multiple) { return (n + multiple - 1) / multiple * multiple; }

// Tokens (image, y, x) of padded images; row = image * image_rows + y * line_rows + x * pixel_rows. A plain array, of
// which token k is row k, has the count alone.
struct Tokens {
  int count, width, height, pixel_rows, line_rows, image_rows;
  int step_x, step_y, step_rows;  // what DEPTH tokens are in pixels and lines, and in rows if nothing carries
  int line_gap, image_gap;        // rows to add at a carry

  KFAC_BOTH static Tokens plain(int count) {
    Tokens t{};
    t.count = count;
    return t;
  }
  // Of the rows of view, in images of so many pixels with padding; `depth` tokens a step.
  static Tokens window(const View& view, int line, int image, int depth) {
    return rectangle(int(view.rows), view.out_width, view.out_height, view.stride_width, view.stride_height * line,
                     image, depth);
  }
  static Tokens rectangle(int count, int width, int height, int pixel_rows, int line_rows, int image_rows, int depth) {
    Tokens t{count, width, height, pixel_rows, line_rows, image_rows, 0, 0, 0, 0, 0};
    t.step_y = depth / t.width % t.height;
    t.step_x = depth % t.width;
    t.step_rows = depth / (t.width * t.height) * image_rows + t.step_y * t.line_rows + t.step_x * t.pixel_rows;
    t.line_gap = t.line_rows - t.width * t.pixel_rows;
    t.image_gap = image_rows - t.height * t.line_rows;
    return t;
  }
};

struct Plain {
  static constexpr bool SHIFTED = false;  // whether each chunk of columns has a row of its own
  int row;
  __device__ Plain(const Tokens&, int k) : row(k) {}
  template <int DEPTH>
  __device__ void advance(const Tokens&) {
    row += DEPTH;
  }
};

struct Window {
  static constexpr bool SHIFTED = true;
  int row, x, y;
  __host__ __device__ Window(const Tokens& t, int k) {
    const int line = k / t.width, image = line / t.height;
    x = k - line * t.width;
    y = line - image * t.height;
    row = image * t.image_rows + y * t.line_rows + x * t.pixel_rows;
  }
  template <int DEPTH>  // the depth that Tokens::window was told
  __host__ __device__ void advance(const Tokens& t) {
    x += t.step_x;
    y += t.step_y;
    row += t.step_rows;
    if (x >= t.width) {
      x -= t.width;
      y += 1;
      row += t.line_gap;
    }
    if (y >= t.height) {
      y -= t.height;
      row += t.image_gap;
    }
  }
};

// A part of each image, with plain columns.
struct Rectangle : Window {
  static constexpr bool SHIFTED = false;
  using Window::Window;
};

// A chunk of eight columns is eight neighbouring columns of the row that lies `shift` further.
struct Chunk {
  int shift, first;
};

// So the patches of a convolution, in the order (ky, kx, channel), are columns that nobody ever stores.
struct Columns {
  int count;
  int width;  // of a tap: its channels, in planes padded to a multiple of eight; 0: the columns are plain
  int kernel_width, line_shift, pixel_shift;  // rows from one tap to the next
  int channels, taps;
  // After all taps may come the constant 1: in planes a chunk that lies after the channels of every pixel.

  KFAC_BOTH static Columns plain(int count) { return {count, 0, 1, 0, 0, count, 1}; }
  // line: pixels of a line; ones: the columns of the constant, with padding.
  static Columns taps_of(const View& view, int width, int line, int ones) {
    return {width * view.taps() + ones, width,         view.kernel_width, view.dilation_height * line,
            view.dilation_width,        view.channels, view.taps()};
  }

  KFAC_BOTH Chunk chunk(int c) const {
    if (width == 0) return {0, 8 * c};
    const int tap = 8 * c / width;
    if (tap == taps) return {0, width};
    return {tap / kernel_width * line_shift + tap % kernel_width * pixel_shift, 8 * c - tap * width};
  }
  // The number of column j in the order (channel, ky, kx) of a patch, -1 if it is padding.
  KFAC_BOTH int natural(int j) const {
    if (width == 0) return j < count ? j : -1;
    const int tap = j / width, channel = j - tap * width;
    if (tap == taps) return channel == 0 && j < count ? channels * taps : -1;
    return channel < channels ? channel * taps + tap : -1;
  }
};

}  // namespace kfac
