// Second moments of patches against their definition in fp64.
#include <cstdlib>
#include <memory>
#include "check.h"

namespace {

struct Case {
  int examples, channels, height, width, kernel_height, kernel_width, padding_height, padding_width;
  bool bias, channels_last;

  std::string text(int method) const {
    char out[200];
    std::snprintf(out, sizeof out, "%d x %d x %d x %d, kernel %d x %d, padding %d x %d, bias %d, last %d, method %d",
                  examples, channels, height, width, kernel_height, kernel_width, padding_height, padding_width, bias,
                  channels_last, method);
    return out;
  }
  int dim() const { return channels * kernel_height * kernel_width + bias; }
  int area() const { return height * width; }

  kfac_cpu_convolution convolution() const {
    return {examples, channels, height, width, channels * area(), channels_last ? 1 : area(), channels_last ? channels : 1,
            kernel_height, kernel_width, padding_height, padding_width, bias};
  }

  std::vector<double> literal(const std::vector<float>& x) const {
    kfac_cpu_convolution c = convolution();
    int n = dim(), outputs_y = height + 2 * padding_height - kernel_height + 1, outputs_x = width + 2 * padding_width - kernel_width + 1;
    std::vector<double> sum((size_t)n * n), patch(n);
    for (int e = 0; e < examples; e++) {
      for (int o = 0; o < outputs_y * outputs_x; o++) {
        int k = 0;
        for (int i = 0; i < channels; i++) {
          for (int u = 0; u < kernel_height; u++) {
            for (int v = 0; v < kernel_width; v++) {
              int y = o / outputs_x + u - padding_height, z = o % outputs_x + v - padding_width;
              bool inside = y >= 0 && y < height && z >= 0 && z < width;
              patch[k++] = inside ? x[e * c.example_stride + i * c.channel_stride + (y * width + z) * c.position_stride] : 0;
            }
          }
        }
        if (bias) patch[k] = 1;
        for (int i = 0; i < n; i++) {
          if (patch[i] == 0) continue;
          for (int j = 0; j < n; j++) sum[(size_t)i * n + j] += patch[i] * patch[j];
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

void check(const Case& c, std::mt19937& random) {
  std::vector<float> x = test::gaussian(random, (size_t)c.examples * c.channels * c.area());
  for (float& v : x) v = v > -0.3f ? v : 0;  // as activations: mostly positive
  std::vector<double> exact = c.literal(x);
  int n = c.dim();
  double largest = 0;
  for (double v : exact) largest = std::max(largest, std::fabs(v));
  for (int method : {KFAC_CPU_SHIFT, KFAC_CPU_SPECTRAL}) {
    std::vector<float> old((size_t)n * n, 0.5f), target = old, again((size_t)n * n, NAN);
    kfac_cpu_convolution convolution = c.convolution();
    double weight = 1 / largest;
    run(kfac_cpu_patch_moment(&convolution, x.data(), 0.5, weight, target.data(), method), 0);
    run(kfac_cpu_patch_moment(&convolution, x.data(), 0, weight, again.data(), method), 1);
    double worst = 0;
    bool symmetric = true, same = true;
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < n; j++) {
        size_t at = (size_t)i * n + j;
        worst = std::max(worst, std::fabs(target[at] - (0.25 + weight * exact[at])));
        worst = std::max(worst, std::fabs(again[at] - weight * exact[at]));
        symmetric &= target[at] == target[(size_t)j * n + i] && again[at] == again[(size_t)j * n + i];
        same &= !std::isnan(again[at]);
      }
    }
    test::expect(same && worst < 1e-6, c.text(method) + ": error " + std::to_string(worst * 1e6) + "e-6");
    test::expect(symmetric, c.text(method) + ": not symmetric");
  }
}

}  // namespace

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
