// Index arithmetic of kfac_samples: pure functions, the same on host and device, tested without a tensor.
#pragma once
#include <cmath>
#include "kfac_cuda.h"
#ifdef __CUDACC__
#define KFAC_BOTH __host__ __device__ __forceinline__
#else
#define KFAC_BOTH inline
#endif

namespace kfac {

// The element of row r and column c lies at r.offset + c.offset if (r.y + c.y, r.x + c.x) is inside the image.
struct Row {
  long long offset;
  int y, x;
};
struct Column {
  long long offset;
  int y, x;
};
constexpr int LARGEST_EXTENT = 1 << 27;  // of an image with its padding, and of a dilated kernel
constexpr int OUTSIDE = -(1 << 29);      // as y: no image element at all, whatever is added
constexpr int ONE = 1 << 30;             // as y of a column: the bias coordinate, outside of any image as well

KFAC_BOTH long long out_size(long long size, int kernel, int stride, int padding, int dilation) {
  const long long room = size + 2LL * padding - (long long)dilation * (kernel - 1) - 1;
  return room < 0 ? 0 : room / stride + 1;
}

struct View {
  long long batch_stride, channel_stride, y_stride, x_stride;
  long long rows;
  int height, width, out_height, out_width;
  int kernel_height, kernel_width;
  int stride_height, stride_width, padding_height, padding_width, dilation_height, dilation_width;
  int channels;  // of one group
  int columns;   // with the bias

  View() = default;
  explicit View(const kfac_samples& r)
      : batch_stride(r.batch_stride), channel_stride(r.channel_stride), y_stride(r.y_stride), x_stride(r.x_stride),
        height(int(r.height)), width(int(r.width)),
        out_height(int(out_size(r.height, r.kernel_height, r.stride_height, r.padding_height, r.dilation_height))),
        out_width(int(out_size(r.width, r.kernel_width, r.stride_width, r.padding_width, r.dilation_width))),
        kernel_height(r.kernel_height), kernel_width(r.kernel_width), stride_height(r.stride_height),
        stride_width(r.stride_width), padding_height(r.padding_height), padding_width(r.padding_width),
        dilation_height(r.dilation_height), dilation_width(r.dilation_width), channels(int(r.channels / r.groups)) {
    rows = r.batch * out_height * out_width;
    columns = channels * kernel_height * kernel_width + r.bias;
  }

  KFAC_BOTH int taps() const { return kernel_height * kernel_width; }
  KFAC_BOTH int patch() const { return channels * taps(); }

  // Rows past the end are outside everything. An int as index where all rows have one: its divisions are shorter.
  template <class Index>
  KFAC_BOTH Row row(Index r) const {
    if (r >= rows) return {0, OUTSIDE, 0};
    const Index line = r / out_width, b = line / out_height;
    const int y = int(line - b * out_height) * stride_height - padding_height;
    const int x = int(r - line * out_width) * stride_width - padding_width;
    return {b * batch_stride + y * y_stride + x * x_stride, y, x};
  }

  // Column j in the natural order (channel, ky, kx), or, channels_inner, in the order (ky, kx, channel).
  KFAC_BOTH Column column(int group, int j, bool channels_inner) const {
    if (j >= columns) return {0, OUTSIDE, 0};
    if (j >= patch()) return {0, ONE, 0};
    const int channel = channels_inner ? j % channels : j / taps();
    const int tap = channels_inner ? j / channels : j % taps();
    const int y = tap / kernel_width * dilation_height, x = tap % kernel_width * dilation_width;
    return {((long long)group * channels + channel) * channel_stride + y * y_stride + x * x_stride, y, x};
  }

  // Natural index of column j of the order (ky, kx, channel).
  KFAC_BOTH int natural(int j) const { return j < patch() ? j % channels * taps() + j / channels : j; }

  template <class T>
  KFAC_BOTH bool inside(const Row& r, const T& c) const {
    return (unsigned)(r.y + c.y) < (unsigned)height && (unsigned)(r.x + c.x) < (unsigned)width;
  }
};

// Index of the lower-triangular pair (r, c), c <= r, and back.
KFAC_BOTH long long triangle(long long r, long long c = 0) { return r * (r + 1) / 2 + c; }
KFAC_BOTH long long triangle_row(long long index) {
  long long r = (long long)((sqrt(8.0 * double(index) + 1.0) - 1.0) / 2.0);
  while (triangle(r) > index) --r;
  while (triangle(r + 1) <= index) ++r;
  return r;
}

}  // namespace kfac
