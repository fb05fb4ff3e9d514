// For ncu: runs each kernel that matters once, at the size of a headline workload. profile WORKLOAD...; --list names
// them.
#include <memory>
#include "harness.h"
using namespace test;

namespace {

// [n, n]: diagonally dominant.
std::vector<float> factor(int n) {
  std::vector<float> a(size_t(n) * n);
  for (int i = 0; i < n; ++i)
    for (int j = 0; j <= i; ++j)
      a[size_t(i) * n + j] = a[size_t(j) * n + i] = (i == j ? 2.0f : 0.5f / n * float((i * 7 + j * 3) % 5));
  return a;
}

template <class Run>
void with_workspace(long long bytes, const Run& run) {
  const Workspace workspace(bytes);
  CALL(run(workspace.get(), workspace.bytes()));
}

// 28 x 28, 64 channels, 64 examples, 3 x 3.
void accumulate(int dtype) {
  const int channels = 64, size = 28, batch = 64, n = channels * 9;
  const size_t elements = size_t(batch) * channels * size * size;
  std::vector<float> values(dtype == KFAC_F32 ? elements : elements / 2);
  for (size_t i = 0; i < values.size(); ++i) values[i] = 0.25f + float(i * 2654435761u % 1024) / 1024.0f;
  const Device<float> data(values), moment(size_t(n) * n);
  kfac_accumulate_request q{};
  auto& s = q.samples;
  s.data = data.get(), s.dtype = dtype, s.groups = 1;
  s.batch = batch, s.channels = channels, s.height = s.width = size;
  s.batch_stride = channels * size * size, s.channel_stride = size * size, s.y_stride = size, s.x_stride = 1;
  s.kernel_height = s.kernel_width = 3;
  s.stride_height = s.stride_width = s.padding_height = s.padding_width = s.dilation_height = s.dilation_width = 1;
  q.target = moment.get(), q.weight = 1.0f / batch;
  with_workspace(kfac_accumulate_workspace(&q, 1, KFAC_SPLIT_F16), [&](void* workspace, long long bytes) {
    return kfac_accumulate(&q, 1, KFAC_SPLIT_F16, workspace, bytes, nullptr);
  });
}

void invert(int n, int count) {
  const std::vector<float> one = factor(n);
  const Device<float> matrices(size_t(n) * n * count), inverses(matrices.size());
  for (int i = 0; i < count; ++i)
    MUST(cudaMemcpy(matrices.get() + i * one.size(), one.data(), one.size() * sizeof(float), cudaMemcpyHostToDevice));
  const Device<int> status(count);
  const kfac_invert_request q{matrices.get(), inverses.get(),     status.get(), nullptr, 1.0f, 0.1f, n,
                              count,          KFAC_INVERT_BY_SIZE};
  with_workspace(kfac_invert_workspace(&q, 1, KFAC_SPLIT_F16), [&](void* workspace, long long bytes) {
    return kfac_invert(&q, 1, KFAC_SPLIT_F16, workspace, bytes, nullptr);
  });
}

void precondition() {
  const int out = 512, in = 4608;
  const Device<float> g(factor(out)), a(factor(in)), w(std::vector<float>(size_t(out) * in, 0.5f)), u(w.size());
  const Device<double> inner(1), g_norms(std::vector<double>{1.0}), a_norms(std::vector<double>{1.0}), norms(2);
  const kfac_precondition_request q{g.get(), a.get(), w.get(), nullptr, u.get(),       nullptr,       inner.get(),
                                    1,       out,     in,      1.0f,    g_norms.get(), a_norms.get(), norms.get()};
  with_workspace(kfac_precondition_workspace(&q, 1, KFAC_SPLIT_F16), [&](void* workspace, long long bytes) {
    return kfac_precondition(&q, 1, KFAC_SPLIT_F16, workspace, bytes, nullptr);
  });
}

const struct {
  const char* name;
  std::function<void()> run;
} WORKLOADS[] = {{"accumulate-fp32", [] { accumulate(KFAC_F32); }},
                 {"accumulate-bf16", [] { accumulate(KFAC_BF16); }},
                 {"sweep", [] { invert(4608, 1); }},
                 {"small-64", [] { invert(64, 10000); }},
                 {"precondition", precondition}};

}  // namespace

int main(int argc, char** argv) {
  int run = 0;
  for (const auto& workload : WORKLOADS) {
    if (argc > 1 && !std::strcmp(argv[1], "--list")) std::puts(workload.name);
    for (int i = 1; i < argc; ++i)
      if (!std::strcmp(argv[i], workload.name)) workload.run(), ++run;
  }
  return failures > 0 || (run == 0 && argc != 2);
}
