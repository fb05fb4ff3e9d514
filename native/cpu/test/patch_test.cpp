// Second moments of patches against their definition in fp64.
#include <cstdlib>
#include <memory>
#include "check.h"

namespace {

struct Case {
  int examples, channels, height, width, kernel_height, kernel_width, padding_height, padding_width;
  bool bias, channels_last;
  int groups = 1, stride_height = 1, stride_width = 1, dilation_height = 1, dilation_width = 1;

  std::string text(int method) const {
    char out[300];
    std::snprintf(out, sizeof out,
                  "%d x %d * %d x %d x %d, kernel %d x %d, stride %d x %d, padding %d x %d, dilation %d x %d, bias %d, "
                  "last %d, method %d",
                  examples, groups, channels, height, width, kernel_height, kernel_width, stride_height, stride_width,
                  padding_height, padding_width, dilation_height, dilation_width, bias, channels_last, method);
    return out;
  }
  int dim() const { return channels * kernel_height * kernel_width + bias; }
  int area() const { return height * width; }
  bool sparse() const { return padding_height > 1000 || padding_width > 1000; }
  bool unit() const { return stride_height * stride_width * dilation_height * dilation_width == 1; }
  int outputs_y() const {
    return (height + 2 * padding_height - dilation_height * (kernel_height - 1) - 1) / stride_height + 1;
  }
  int outputs_x() const {
    return (width + 2 * padding_width - dilation_width * (kernel_width - 1) - 1) / stride_width + 1;
  }

  kfac_cpu_patch_samples convolution() const {
    int all = groups * channels;
    return {examples,
            groups,
            channels,
            height,
            width,
            all * area(),
            channels_last ? 1 : area(),
            channels_last ? all : 1,
            kernel_height,
            kernel_width,
            stride_height,
            stride_width,
            padding_height,
            padding_width,
            dilation_height,
            dilation_width,
            bias};
  }

  std::vector<double> literal(const std::vector<float>& x) const {
    kfac_cpu_patch_samples c = convolution();
    int n = dim(), across = outputs_x();
    std::vector<double> sum((size_t)groups * n * n), patch(n);
    for (int e = 0; e < examples * groups; e++) {
      const float* image = &x[e / groups * c.example_stride + e % groups * channels * c.channel_stride];
      double* to = &sum[(size_t)(e % groups) * n * n];
      for (int o = 0; o < outputs_y() * across; o++) {
        int k = 0;
        for (int i = 0; i < channels; i++) {
          for (int u = 0; u < kernel_height; u++) {
            for (int v = 0; v < kernel_width; v++) {
              int y = o / across * stride_height + u * dilation_height - padding_height;
              int z = o % across * stride_width + v * dilation_width - padding_width;
              bool inside = y >= 0 && y < height && z >= 0 && z < width;
              patch[k++] = inside ? image[i * c.channel_stride + (y * width + z) * c.position_stride] : 0;
            }
          }
        }
        if (bias) patch[k] = 1;
        for (int i = 0; i < n; i++) {
          if (patch[i] == 0) continue;
          for (int j = 0; j < n; j++) to[(size_t)i * n + j] += patch[i] * patch[j];
        }
      }
    }
    return sum;
  }
};

void* aligned(size_t floats) { return std::aligned_alloc(64, (floats * sizeof(float) + 63) / 64 * 64); }

void run(kfac_cpu_plan* plan, unsigned order) {
  auto fill = [](size_t floats) {
    float* memory = (float*)aligned(floats);
    for (size_t i = 0; i < floats; i++) memory[i] = NAN;
    return std::unique_ptr<float, decltype(&std::free)>(memory, std::free);
  };
  auto shared = fill(kfac_cpu_plan_shared(plan)), scratch = fill(kfac_cpu_plan_scratch(plan));
  for (int phase = 0; phase < kfac_cpu_plan_phases(plan); phase++) {
    int tasks = kfac_cpu_plan_tasks(plan, phase);
    for (int k = 0; k < tasks; k++) {
      kfac_cpu_plan_run(plan, phase, order ? tasks - 1 - k : k, shared.get(), scratch.get());
    }
  }
  kfac_cpu_plan_free(plan);
}

void check(const Case& c, const std::vector<float>& x) {
  std::vector<double> exact = c.literal(x);
  int n = c.dim();
  double largest = 0;
  for (double v : exact) largest = std::max(largest, std::fabs(v));
  if (largest == 0) largest = 1;
  for (int method : {KFAC_CPU_CHEAPEST, KFAC_CPU_SHIFT, KFAC_CPU_SPECTRAL, KFAC_CPU_FUSED, KFAC_CPU_LANES}) {
    if (!c.unit() && (method == KFAC_CPU_SHIFT || method == KFAC_CPU_SPECTRAL)) continue;
    if (c.sparse() && method == KFAC_CPU_LANES) continue;  // packs every zero
    std::vector<float> target(exact.size(), 0.5f), again(exact.size(), NAN);
    kfac_cpu_patch_samples convolution = c.convolution();
    double weight = 1 / largest;
    run(kfac_cpu_accumulate_plan(&convolution, x.data(), 0.95, weight, target.data(), method), 0);
    run(kfac_cpu_accumulate_plan(&convolution, x.data(), 0, weight, again.data(), method), 1);
    double worst = 0, average = 0;  // in roundings of the largest element
    bool symmetric = true, same = true;
    for (size_t at = 0; at < exact.size(); at++) {
      size_t mirrored = at / n / n * n * n + at % n * n + at / n % n;
      average = std::max(average, 0x1p24 * std::fabs(target[at] - (0.475 + weight * exact[at])));
      worst = std::max(worst, 0x1p24 * std::fabs(again[at] - weight * exact[at]));
      symmetric &= target[at] == target[mirrored] && again[at] == again[mirrored];
      same &= !std::isnan(again[at]);
    }
    // fp64 sums are rounded once; an average beyond 1, with that of the decay as fp32, by two units more
    test::expect(same && worst < 1.01, c.text(method) + ": " + std::to_string(worst) + " roundings");
    test::expect(average < 3, c.text(method) + ": " + std::to_string(average) + " roundings of an average");
    test::expect(symmetric, c.text(method) + ": not symmetric");
  }
}

void check(const Case& c, std::mt19937& random) {
  std::vector<float> x = test::gaussian(random, (size_t)c.examples * c.groups * c.channels * c.area());
  for (float& v : x) v = v > -0.3f ? v : 0;  // as activations: mostly positive
  check(c, x);
}

}  // namespace

/// Images of one value, whose patches are all alike: fp32 would round all of them the same way.
KFAC_TEST(sums_of_equal_patches_do_not_drift) {
  std::mt19937 random(1);
  std::vector<Case> cases = {{32, 40, 6, 6, 1, 1, 0, 0, true, false},
                             {8, 20, 9, 9, 3, 3, 1, 1, true, false},
                             {4, 4, 12, 12, 5, 5, 2, 2, false, true},
                             {16, 5, 9, 9, 3, 3, 1, 1, true, false, 1, 2, 2},
                             {8, 1, 14, 14, 3, 3, 1, 1, true, false, 40}};
  for (const Case& c : cases) {
    std::vector<float> channels = test::gaussian(random, c.groups * c.channels), x;
    for (int i = 0; i < c.examples * c.groups * c.channels * c.area(); i++) {
      x.push_back(channels[c.channels_last ? i % channels.size() : i / c.area() % channels.size()]);
    }
    check(c, x);
  }
}

KFAC_TEST(square_kernels_at_every_padding) {
  std::mt19937 random(2);
  for (int kernel : {1, 3, 5, 7}) {
    for (int padding = 0; padding <= kernel / 2; padding++) {
      for (bool last : {false, true}) {
        check({3, 5, 12, 11, kernel, kernel, padding, padding, last, last}, random);
        check({2, 3, 16, 17, kernel, kernel, padding, padding, !last, last}, random);
      }
    }
  }
}

KFAC_TEST(rectangular_kernels) {
  std::mt19937 random(3);
  check({2, 4, 9, 14, 1, 5, 0, 2, true, false}, random);
  check({2, 4, 14, 9, 5, 1, 1, 0, true, true}, random);
  check({3, 6, 10, 9, 3, 2, 1, 1, false, false}, random);
  check({3, 6, 8, 10, 2, 3, 0, 1, true, false}, random);
  check({2, 2, 12, 8, 7, 3, 3, 0, true, false}, random);
  check({2, 2, 9, 9, 4, 6, 2, 3, true, false}, random);
}

KFAC_TEST(images_smaller_than_the_kernel) {
  std::mt19937 random(4);
  for (int kernel : {3, 5, 7}) {
    for (int height : {1, 2, 4}) {
      check({4, 3, height, 1, kernel, kernel, kernel / 2, kernel / 2, true, false}, random);
      check({4, 3, 2, height, kernel, kernel, kernel / 2, kernel / 2, true, true}, random);
      check({4, 3, height, 9, kernel, 3, kernel / 2, 1, false, false}, random);
    }
  }
  check({3, 2, 2, 3, 3, 3, 2, 2, true, false}, random);  // beyond "same"
  check({3, 2, 4, 3, 3, 3, 4, 3, true, false}, random);  // outputs that see only padding
}

KFAC_TEST(many_channels_and_images) {
  std::mt19937 random(5);
  check({2, 33, 6, 7, 3, 3, 1, 1, true, false}, random);
  check({2, 33, 6, 7, 3, 3, 1, 1, true, true}, random);
  check({2, 70, 5, 5, 3, 3, 1, 1, false, false}, random);
  check({2, 40, 6, 7, 5, 5, 2, 2, true, false}, random);
  check({1, 35, 8, 7, 7, 7, 3, 3, true, false}, random);
  check({70, 8, 7, 7, 3, 3, 1, 1, true, false}, random);
  check({1, 1, 28, 28, 5, 5, 2, 2, true, false}, random);
  check({1, 2, 70, 40, 3, 3, 1, 1, true, false}, random);
}

KFAC_TEST(convolutions_of_any_form) {
  std::mt19937 random(6);
  auto pick = [&](int from, int to) { return std::uniform_int_distribution<int>(from, to)(random); };
  for (int k = 0; k < 400;) {
    Case c = {};
    c.examples = pick(1, 4), c.channels = pick(1, 6), c.groups = pick(1, 3), c.bias = pick(0, 1),
    c.channels_last = pick(0, 1);
    c.height = pick(1, 14), c.width = pick(1, 40), c.kernel_height = pick(1, 5), c.kernel_width = pick(1, 5);
    c.stride_height = pick(1, 3), c.stride_width = pick(1, 3), c.dilation_height = pick(1, 3),
    c.dilation_width = pick(1, 3);
    c.padding_height = pick(0, c.kernel_height), c.padding_width = pick(0, c.kernel_width);  // to beyond "same"
    if (k % 8 == 0) c.kernel_height = c.kernel_width = 1;
    bool outputs = c.height + 2 * c.padding_height > c.dilation_height * (c.kernel_height - 1) &&
                   c.width + 2 * c.padding_width > c.dilation_width * (c.kernel_width - 1);
    if (!outputs) continue;
    check(c, random);
    k++;
  }
}

KFAC_TEST(pixels) {
  std::mt19937 random(7);
  for (bool last : {false, true}) {
    for (int stride : {1, 2, 3}) {
      check({3, 70, 9, 10, 1, 1, 0, 0, true, last, 1, stride, stride}, random);
      check({3, 20, 9, 10, 1, 1, 0, 0, false, last, 4, stride, 1}, random);
      check({3, 33, 6, 5, 1, 1, 1, 0, true, last, 2, 1, stride}, random);
    }
    check({300, 40, 1, 1, 1, 1, 0, 0, true, last, 2}, random);
    check({2, 5, 30, 25, 1, 1, 0, 0, false, last}, random);
    check({5, 1, 30, 25, 1, 1, 0, 0, false, last, 1, 2, 2}, random);
  }
}

/// Large strides and dilations, on images between so many zeros: work memory is that of small ones.
KFAC_TEST(sparse_convolutions) {
  std::mt19937 random(9);
  constexpr int FAR = 100000;
  for (int groups : {1, 2}) {
    for (bool last : {false, true}) {
      check({2, 2, 8, 8, 3, 3, 0, FAR, true, last, groups, 1, FAR - 1}, random);
      check({2, 2, 8, 8, 3, 3, FAR, FAR, true, last, groups, 1, 1, FAR, FAR}, random);
      check({2, 2, 8, 8, 3, 3, 1, FAR, false, last, groups, 2, 3, 1, FAR}, random);
      check({2, 2, 8, 300, 2, 5, 1, 700, false, last, groups, 3, 40, 2, 300}, random);
    }
  }
  Case c = {2, 2, 8, 8, 3, 3, FAR, FAR, true, false, 2, 1, 1, FAR, FAR};
  kfac_cpu_patch_samples convolution = c.convolution();
  kfac_cpu_plan* plan = kfac_cpu_accumulate_plan(&convolution, nullptr, 0, 1, nullptr, KFAC_CPU_CHEAPEST);
  test::expect(kfac_cpu_plan_scratch(plan) + kfac_cpu_plan_shared(plan) < 1 << 20,
               "work memory of a sparse convolution");
  kfac_cpu_plan_free(plan);
}

KFAC_TEST(wide_and_long_convolutions) {
  std::mt19937 random(8);
  check({2, 67, 7, 9, 3, 3, 1, 1, true, false, 1, 2, 2}, random);  // several blocks of the triangle
  check({2, 67, 7, 9, 3, 3, 1, 1, false, true, 1, 2, 2}, random);
  check({1, 130, 5, 5, 3, 3, 1, 1, true, false, 1, 2, 2}, random);
  check({2, 6, 14, 600, 3, 3, 2, 2, true, false, 1, 1, 1, 2, 2}, random);  // rows in several pieces, several slices
  check({2, 3, 60, 300, 7, 7, 3, 3, false, false, 1, 2, 1}, random);
  check({2, 2, 40, 40, 3, 3, 1, 1, true, false, 24, 2, 2}, random);
  for (bool last : {false, true}) {
    check({2, 1, 70, 90, 3, 3, 1, 1, true, last, 40}, random);  // depthwise, packed in several bands
    check({2, 1, 33, 30, 5, 5, 2, 2, false, last, 35, 2, 2}, random);
  }
}
