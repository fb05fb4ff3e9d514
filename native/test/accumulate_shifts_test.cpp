#include "cases.h"
#include "shifts.h"
using namespace test;

// Convolutions of stride 1, whose moments are put together from correlations of pixels.
TEST(accumulate_shifts) {
  std::vector<std::unique_ptr<Case>> cases;
  auto add = [&](Conv conv, int positions) {
    conv.batch = positions / (conv.height * conv.width) + 1;
    cases.push_back(std::make_unique<Case>(conv, 1.0f / conv.batch, cases.size() % 2 ? 0.95f : 0.0f));
    CHECK(kfac::by_shifts(cases.back()->image.request()), "%s", conv.name().c_str());
  };
  const Conv same{.batch = 0,
                  .channels = 48,
                  .height = 8,
                  .width = 7,
                  .kernel_height = 3,
                  .kernel_width = 3,
                  .padding_height = 1,
                  .padding_width = 1};
  for (int dtype : {KFAC_F32, KFAC_BF16, KFAC_F16}) {
    Conv conv = same;
    conv.dtype = dtype;
    conv.layout = dtype == KFAC_F32 ? NCHW : NHWC;
    conv.bias = dtype == KFAC_BF16;
    add(conv, 600);
  }
  Conv conv = same;
  conv.dilation_height = 2, conv.padding_height = conv.padding_width = 2;  // of one direction, and more than "same"
  add(conv, 600);
  conv = same;
  conv.padding_width = 0;  // outputs inside the image only
  conv.height = 12, conv.width = 16;
  add(conv, 1100);
  conv = same;
  conv.channels = 44, conv.bias = 1;                                      // no multiple of eight
  conv.kernel_height = 2, conv.kernel_width = 4, conv.padding_width = 3;  // not symmetric
  add(conv, 600);
  add({.batch = 0,  // large tiles
       .channels = 72,
       .height = 1,
       .width = 64,
       .kernel_width = 9,
       .padding_width = 4,
       .bias = 1,
       .layout = NHWC},
      650);
  check(cases, TOLERANCE, {KFAC_SPLIT_F16});
}

// Which ranges of pixels an axis has: all, and for each position of a kernel what lies before and after its window.
TEST(accumulate_shifts_by_definition) {
  for (int size : {1, 2, 5, 9})
    for (int kernel : {1, 2, 3, 5})
      for (int dilation : {1, 3})
        for (int padding : {0, 1, 2, 6}) {
          const int out = size + 2 * padding - dilation * (kernel - 1);
          if (out < 1) continue;
          const kfac::Axis axis(size, out, kernel, dilation, padding);
          for (int u = 0; u < kernel; ++u)
            for (int v = 0; v < kernel; ++v) {
              std::vector<int> seen(size, 0), wanted(size, 0);
              for (int kind = 0; kind < kfac::Axis::KINDS; ++kind) {
                const int number = axis.of[(u * kernel + v) * kfac::Axis::KINDS + kind];
                if (number < 0) continue;
                const kfac::Range& range = axis.ranges[number];
                CHECK(range.shift == dilation * (v - u));
                for (int i = 0; i < range.count; ++i) seen[range.first + i] += kind == kfac::Axis::ALL ? 1 : -1;
              }
              for (int o = 0; o < out; ++o) {
                const int y = o + dilation * u - padding, other = o + dilation * v - padding;
                if (y >= 0 && y < size && other >= 0 && other < size) ++wanted[y];
              }
              CHECK(seen == wanted, "size %d kernel %d dilation %d padding %d: %d %d", size, kernel, dilation, padding,
                    u, v);
            }
        }
}
