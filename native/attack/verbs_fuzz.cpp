// The verbs of libkfac_cpu but for moments of patches (patch_fuzz.cpp), for libFuzzer with the sanitizers, against
// plain loops: inverses of one matrix, of stacks and as plans; products; transposes; inner products.
#include "fuzz_input.h"
#include "kfac_cpu.h"

using fuzz::Bytes;
using fuzz::memory;
using fuzz::require;

namespace {

int extent(Bytes& in) {
  static const int far[] = {16, 17, 31, 32, 33, 64, 65, 96, 127, 128, 129, 160};
  return (int)(in.number(0, 3) ? in.number(1, 15) : far[in.number(0, 11)]);
}

// Positive definite, of condition about n; the upper triangle is not to be read.
std::vector<float> definite(Bytes& in, int n) {
  std::vector<float> m(n * n, NAN);
  for (int i = 0; i < n; i++) {
    for (int j = 0; j < i; j++) m[i * n + j] = in.real() / (float)n;
    m[i * n + i] = 1.5f;
  }
  return m;
}

void requireInverse(int n, const std::vector<float>& m, double scale, double damping, const float* x) {
  for (int i = 0; i < n; i++) {
    for (int j = 0; j < n; j++) {
      double sum = i == j ? -1 : 0;
      for (int k = 0; k < n; k++) {
        double element = scale * m[i > k ? i * n + k : k * n + i] + (i == k ? damping : 0);
        sum += element * x[k * n + j];
      }
      // each element of X is rounded, and M X sums n of them; the condition is below 8
      require(std::fabs(sum) < 64 * n * 0x1p-24, "an inverse is off by", sum);
      require(x[i * n + j] == x[j * n + i], "an inverse is not symmetric", x[i * n + j]);
    }
  }
}

void invert(Bytes& in) {
  int n = extent(in), count = (int)(n <= 16 ? in.number(1, 40) : 1), broken = (int)in.number(0, 3);
  double damping = (double)in.number(1, 100) / 100, scale = (double)in.number(50, 200) / 100;
  std::vector<std::vector<float>> sources;
  std::vector<std::unique_ptr<float, fuzz::Free>> inverses;
  std::vector<const float*> from;
  std::vector<float*> to;
  for (int k = 0; k < count; k++) {
    sources.push_back(definite(in, n));
    if (broken == 1 && k == count / 2) sources[k][(n - 1) * n] = INFINITY;
    if (broken == 2 && k == count / 2) sources[k][n * n - 1] = -3;
    inverses.push_back(memory((int64_t)n * n));
    from.push_back(sources[k].data()), to.push_back(inverses[k].get());
  }
  std::vector<double> scales(count, scale), dampings(count, damping);
  std::vector<int32_t> status(count, 99);
  auto work = memory(kfac_cpu_invert_floats(n));
  kfac_cpu_invert(n, count, from.data(), scales.data(), dampings.data(), to.data(), status.data(), work.get());
  for (int k = 0; k < count; k++) {
    bool bad = k == count / 2 && (broken == 1 || (broken == 2 && damping < 1.5 * scale));
    require((status[k] != 0) == bad, "the status of an inverse is", status[k]);
    if (bad) require(std::isnan(to[k][0]), "a failed inverse was written", to[k][0]);
    if (!bad) requireInverse(n, sources[k], scale, damping, to[k]);
  }
  auto again = memory((int64_t)n * n);
  kfac_cpu_plan* plan = kfac_cpu_invert_plan(n, from[0], scale, damping, again.get());
  auto shared = memory(kfac_cpu_plan_shared(plan));
  for (int phase = 0; phase < kfac_cpu_plan_phases(plan); phase++) {
    for (int task = 0; task < kfac_cpu_plan_tasks(plan, phase); task++) {
      auto scratch = memory(kfac_cpu_plan_scratch(plan));
      kfac_cpu_plan_run(plan, phase, task, shared.get(), scratch.get());
    }
  }
  require((kfac_cpu_plan_status(plan) != 0) == (status[0] != 0), "the status of a plan is", kfac_cpu_plan_status(plan));
  if (!status[0]) requireInverse(n, sources[0], scale, damping, again.get());
  kfac_cpu_plan_free(plan);
}

void multiply(Bytes& in) {
  int m = extent(in), n = extent(in), k = extent(in), width = kfac_cpu_panel_width();
  bool aRows = in.number(0, 1), bRows = in.number(0, 1), brief = in.number(0, 1), cRows = brief || in.number(0, 1);
  if (brief) aRows = false;
  int pad = (int)in.number(0, 2), beta = (int)in.number(0, 1);
  int aLine = (aRows ? k : m) + pad, bLine = (bRows ? n : k) + pad, cLine = (cRows ? n : m) + pad;
  auto room = [pad](int lines, int line) { return (int64_t)lines * line - pad; };
  auto a = memory(room(aRows ? m : k, aLine)), b = memory(room(bRows ? k : n, bLine));
  auto c = memory(room(cRows ? m : n, cLine)), panels = memory((int64_t)(n + width - 1) / width * width * k);
  auto at = [](float* x, int line, bool rows, int i, int j) -> float& {
    return rows ? x[i * line + j] : x[j * line + i];
  };
  for (int i = 0; i < m; i++)
    for (int l = 0; l < k; l++) at(a.get(), aLine, aRows, i, l) = in.real();
  for (int l = 0; l < k; l++)
    for (int j = 0; j < n; j++) at(b.get(), bLine, bRows, l, j) = in.real();
  if (beta)
    for (int i = 0; i < m; i++)
      for (int j = 0; j < n; j++) at(c.get(), cLine, cRows, i, j) = 1;
  kfac_cpu_pack(k, n, b.get(), bRows ? bLine : 1, bRows ? 1 : bLine, panels.get());
  if (brief) {
    kfac_cpu_multiply_short(m, n, k, a.get(), aLine, panels.get(), 0.5, beta, c.get(), cLine);
  } else {
    kfac_cpu_multiply(m, n, k, a.get(), aRows ? aLine : 1, aRows ? 1 : aLine, panels.get(), 0.5f, (float)beta, c.get(),
                      cRows ? cLine : 1, cRows ? 1 : cLine);
  }
  for (int i = 0; i < m; i++) {
    for (int j = 0; j < n; j++) {
      double sum = beta;
      for (int l = 0; l < k; l++) sum += 0.5 * at(a.get(), aLine, aRows, i, l) * at(b.get(), bLine, bRows, l, j);
      double off = at(c.get(), cLine, cRows, i, j) - sum;
      require(std::fabs(off) <= (k + 2) * (k + 1) * 0x1p-24, "a product is off by", off);
    }
  }
}

void vectors(Bytes& in) {
  int rows = extent(in), cols = extent(in), pad = (int)in.number(0, 3);
  int64_t u_stride = cols + pad, w_stride = cols + in.number(0, 3), t_stride = rows + pad;
  auto u = memory((rows - 1) * u_stride + cols), w = memory((rows - 1) * w_stride + cols);
  auto t = memory((cols - 1) * t_stride + rows);
  double sum = 0;
  for (int i = 0; i < rows; i++) {
    for (int j = 0; j < cols; j++) {
      u.get()[i * u_stride + j] = in.real(), w.get()[i * w_stride + j] = in.real();
      sum += (double)u.get()[i * u_stride + j] * w.get()[i * w_stride + j];
    }
  }
  kfac_cpu_transpose(rows, cols, u.get(), u_stride, t.get(), t_stride);
  double found = kfac_cpu_dot_and_copy(rows, cols, u.get(), u_stride, w.get(), w_stride, w.get());
  require(std::fabs(found - sum) <= 1e-10, "an inner product is off by", found - sum);
  for (int i = 0; i < rows; i++) {
    for (int j = 0; j < cols; j++) {
      float x = u.get()[i * u_stride + j];
      require(t.get()[j * t_stride + i] == x && w.get()[i * w_stride + j] == x, "a copy differs", x);
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Bytes in{data, size};
  switch (in.number(0, 2)) {
    case 0: invert(in); break;
    case 1: multiply(in); break;
    default: vectors(in);
  }
  return 0;
}
