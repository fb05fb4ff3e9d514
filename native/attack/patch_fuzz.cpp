// Second moments of patches of any form, for libFuzzer with the sanitizers: the bytes choose the convolution and the
// images; memory that a plan asks for is given exactly, so that every step beyond it is found.
#include "fuzz_input.h"
#include "kfac_cpu.h"

using fuzz::Bytes;
using fuzz::memory;

namespace {

constexpr int64_t LARGEST = 1 << 16;  // floats of images, of outputs, of a matrix: a fuzzer has to be fast

int64_t outputs(int64_t size, int64_t kernel, int64_t stride, int64_t padding, int64_t dilation) {
  int64_t room = size + 2 * padding - dilation * (kernel - 1) - 1;
  return room < 0 ? 0 : room / stride + 1;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Bytes in{data, size};
  kfac_cpu_patch_samples c = {};
  c.examples = in.number(1, 4), c.groups = in.number(1, 3), c.channels = in.number(1, 20);
  c.height = in.extent(), c.width = in.extent();
  c.kernel_height = in.number(1, 5), c.kernel_width = in.number(1, 5);
  c.stride_height = in.extent(), c.stride_width = in.extent();
  c.padding_height = in.extent() - 1, c.padding_width = in.extent() - 1;
  c.dilation_height = in.extent(), c.dilation_width = in.extent();
  c.bias = in.number(0, 1);
  bool last = in.number(0, 1);
  int64_t all = c.groups * c.channels, area = c.height * c.width, floats = c.examples * all * area;
  c.example_stride = all * area, c.channel_stride = last ? 1 : area, c.position_stride = last ? all : 1;
  int64_t rows = outputs(c.height, c.kernel_height, c.stride_height, c.padding_height, c.dilation_height);
  int64_t columns = outputs(c.width, c.kernel_width, c.stride_width, c.padding_width, c.dilation_width);
  int64_t dim = c.channels * c.kernel_height * c.kernel_width + c.bias;
  if (!rows || !columns || floats > LARGEST || c.examples * rows * columns > LARGEST || dim > 128) return 0;
  bool unit = c.stride_height * c.stride_width * c.dilation_height * c.dilation_width == 1;
  int method = (int)in.number(0, unit ? 4 : 1);
  if (!unit && method) method = KFAC_CPU_FUSED;

  std::vector<float> images(floats);
  for (float& x : images) x = (float)in.number(0, 255) / 128 - 1;
  std::vector<float> target(c.groups * dim * dim, 0.5f);
  kfac_cpu_plan* plan =
      kfac_cpu_accumulate_plan(&c, images.data(), 0, 1.0 / (double)(rows * columns), target.data(), method);
  auto shared = memory(kfac_cpu_plan_shared(plan));
  int64_t scratch_floats = kfac_cpu_plan_scratch(plan);
  for (int phase = 0; phase < kfac_cpu_plan_phases(plan); phase++) {
    for (int task = 0; task < kfac_cpu_plan_tasks(plan, phase); task++) {
      auto scratch = memory(scratch_floats);
      kfac_cpu_plan_run(plan, phase, task, shared.get(), scratch.get());
    }
  }
  kfac_cpu_plan_free(plan);
  for (int64_t i = 0; i < (int64_t)target.size(); i++) {
    int64_t mirrored = i / dim / dim * dim * dim + i % dim * dim + i / dim % dim;
    if (!std::isfinite(target[i]) || target[i] != target[mirrored]) {
      std::fprintf(stderr, "element %lld is %g, its mirror %g, method %d\n", (long long)i, target[i], target[mirrored],
                   method);
      std::abort();
    }
  }
  return 0;
}
