// Activations in host memory and what their patches are by definition: plain loops, no shared index arithmetic.
#pragma once
#include "harness.h"

namespace test {

enum Layout { NCHW, NHWC };

struct Conv {
  int batch, channels, height, width;
  int kernel_height = 1, kernel_width = 1, stride_height = 1, stride_width = 1;
  int padding_height = 0, padding_width = 0, dilation_height = 1, dilation_width = 1;
  int groups = 1, bias = 0;
  Layout layout = NCHW;
  int dtype = KFAC_F32;

  int out_height() const {
    return (height + 2 * padding_height - dilation_height * (kernel_height - 1) - 1) / stride_height + 1;
  }
  int out_width() const {
    return (width + 2 * padding_width - dilation_width * (kernel_width - 1) - 1) / stride_width + 1;
  }
  long long rows() const { return 1LL * batch * out_height() * out_width(); }
  int columns() const { return channels / groups * kernel_height * kernel_width + bias; }
  std::string name() const {
    return text("%dx%dx%dx%d k%dx%d s%dx%d p%dx%d d%dx%d g%d b%d %s dtype%d", batch, channels, height, width,
                kernel_height, kernel_width, stride_height, stride_width, padding_height, padding_width,
                dilation_height, dilation_width, groups, bias, layout == NCHW ? "NCHW" : "NHWC", dtype);
  }
};

// Storage of one dtype and the values that it holds after rounding to that dtype.
inline uint16_t to_bfloat(float x) {
  uint32_t bits;
  std::memcpy(&bits, &x, 4);
  return uint16_t((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}
inline float from_bfloat(uint16_t x) {
  const uint32_t bits = uint32_t(x) << 16;
  float f;
  std::memcpy(&f, &bits, 4);
  return f;
}
inline uint16_t to_half(float x) {
  const _Float16 h = static_cast<_Float16>(x);
  uint16_t bits;
  std::memcpy(&bits, &h, 2);
  return bits;
}
inline float from_half(uint16_t x) {
  _Float16 h;
  std::memcpy(&h, &x, 2);
  return float(h);
}

class Image {
 public:
  Image(const Conv& c, std::vector<float> values) : conv(c), values_(std::move(values)), storage_(bytes(c, values_)) {}
  explicit Image(const Conv& c) : Image(c, normals(size_t(c.batch) * c.channels * c.height * c.width)) {}

  double at(int b, int c, int y, int x) const {
    const int C = conv.channels, H = conv.height, W = conv.width;
    return values_[conv.layout == NCHW ? ((size_t(b) * C + c) * H + y) * W + x : ((size_t(b) * H + y) * W + x) * C + c];
  }

  kfac_samples request() const {
    const long long C = conv.channels, H = conv.height, W = conv.width;
    kfac_samples r{};
    r.data = storage_.get();
    r.dtype = conv.dtype;
    r.bias = conv.bias;
    r.groups = conv.groups;
    r.batch = conv.batch, r.channels = C, r.height = H, r.width = W;
    r.batch_stride = C * H * W;
    r.channel_stride = conv.layout == NCHW ? H * W : 1;
    r.y_stride = conv.layout == NCHW ? W : W * C;
    r.x_stride = conv.layout == NCHW ? 1 : C;
    r.kernel_height = conv.kernel_height, r.kernel_width = conv.kernel_width;
    r.stride_height = conv.stride_height, r.stride_width = conv.stride_width;
    r.padding_height = conv.padding_height, r.padding_width = conv.padding_width;
    r.dilation_height = conv.dilation_height, r.dilation_width = conv.dilation_width;
    return r;
  }

  // [groups, rows, columns]
  std::vector<double> patches() const {
    std::vector<double> p;
    const int depth = conv.channels / conv.groups;
    for (int g = 0; g < conv.groups; ++g)
      for (int b = 0; b < conv.batch; ++b)
        for (int oy = 0; oy < conv.out_height(); ++oy)
          for (int ox = 0; ox < conv.out_width(); ++ox) {
            for (int c = 0; c < depth; ++c)
              for (int ky = 0; ky < conv.kernel_height; ++ky)
                for (int kx = 0; kx < conv.kernel_width; ++kx) {
                  const int y = oy * conv.stride_height - conv.padding_height + ky * conv.dilation_height;
                  const int x = ox * conv.stride_width - conv.padding_width + kx * conv.dilation_width;
                  const bool inside = y >= 0 && y < conv.height && x >= 0 && x < conv.width;
                  p.push_back(inside ? at(b, g * depth + c, y, x) : 0.0);
                }
            if (conv.bias) p.push_back(1.0);
          }
    return p;
  }

  const Conv conv;

 private:
  static std::vector<unsigned char> bytes(const Conv& c, std::vector<float>& values) {
    std::vector<unsigned char> out(values.size() * (c.dtype == KFAC_F32 ? 4 : 2));
    for (size_t i = 0; i < values.size(); ++i) {
      if (c.dtype == KFAC_F32) {
        std::memcpy(&out[4 * i], &values[i], 4);
        continue;
      }
      const uint16_t bits = c.dtype == KFAC_BF16 ? to_bfloat(values[i]) : to_half(values[i]);
      values[i] = c.dtype == KFAC_BF16 ? from_bfloat(bits) : from_half(bits);
      std::memcpy(&out[2 * i], &bits, 2);
    }
    return out;
  }
  std::vector<float> values_;
  Device<unsigned char> storage_;
};

// Convolutions that between them use every feature; small enough for the emulation.
inline std::vector<Conv> convolutions() {
  std::vector<Conv> all;
  for (Layout layout : {NCHW, NHWC}) {
    all.push_back({.batch = 2,
                   .channels = 3,
                   .height = 7,
                   .width = 5,
                   .kernel_height = 3,
                   .kernel_width = 3,
                   .padding_height = 1,
                   .padding_width = 1,
                   .bias = 1,
                   .layout = layout});
    all.push_back({.batch = 3,
                   .channels = 4,
                   .height = 9,
                   .width = 8,
                   .kernel_height = 3,
                   .kernel_width = 2,
                   .stride_height = 2,
                   .stride_width = 1,
                   .padding_height = 2,
                   .padding_width = 0,
                   .dilation_height = 1,
                   .dilation_width = 3,
                   .groups = 2,
                   .bias = 1,
                   .layout = layout});
    all.push_back({.batch = 1,
                   .channels = 6,
                   .height = 4,
                   .width = 6,
                   .kernel_height = 3,
                   .kernel_width = 3,
                   .stride_height = 2,
                   .stride_width = 2,
                   .padding_height = 1,
                   .padding_width = 2,
                   .groups = 6,
                   .layout = layout});
    all.push_back({.batch = 2,
                   .channels = 9,
                   .height = 3,
                   .width = 3,
                   .kernel_height = 5,
                   .kernel_width = 5,
                   .padding_height = 2,
                   .padding_width = 2,
                   .bias = 1,
                   .layout = layout});
    all.push_back({.batch = 5, .channels = 17, .height = 1, .width = 1, .bias = 1, .layout = layout});
  }
  return all;
}

}  // namespace test
