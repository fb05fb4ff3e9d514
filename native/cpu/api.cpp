// The C interface: chooses an instruction set once and passes calls on.
#include "kfac_cpu.h"
#include <cstdlib>
#include <cstring>
#include "verbs.h"

namespace {

using kfac::Plan;
using kfac::Verbs;

const Verbs& choose() {
  const char* limit = std::getenv("KFAC_CPU_INSTRUCTIONS");
#ifdef KFAC_X86
  __builtin_cpu_init();
  auto allowed = [limit](const char* name) { return !limit || std::strcmp(limit, name) == 0; };
  bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
                __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
                __builtin_cpu_supports("bmi2");
  if (avx512 && allowed("avx512")) return kfac::avx512::verbs;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && (allowed("avx2") || allowed("avx512"))) {
    return kfac::avx2::verbs;
  }
#endif
  return kfac::portable::verbs;
}

const Verbs& verbs() {
  static const Verbs& chosen = choose();
  return chosen;
}

const Plan* of(const kfac_cpu_plan* plan) { return reinterpret_cast<const Plan*>(plan); }

}  // namespace

kfac::Plan::~Plan() {}

const char* kfac_cpu_instructions(void) { return verbs().instructions; }

int32_t kfac_cpu_lanes(int32_t n) { return verbs().lanes(n); }

int64_t kfac_cpu_invert_floats(int32_t n) { return (int64_t)verbs().invert_floats(n); }

void kfac_cpu_invert(int32_t n, int32_t count, const float* const* source, const double* scale, const double* damping,
                     float* const* inverse, int32_t* status, float* work) {
  verbs().invert({n, count, source, scale, damping, inverse, status}, work);
}

kfac_cpu_plan* kfac_cpu_invert_plan(int32_t n, const float* source, double scale, double damping, float* inverse) {
  return reinterpret_cast<kfac_cpu_plan*>(verbs().invert_plan(n, source, scale, damping, inverse));
}

double kfac_cpu_dot(int64_t n, const float* x, const float* y) { return verbs().dot(n, x, y); }

double kfac_cpu_dot_and_copy(int32_t rows, int32_t cols, const float* u, int64_t u_stride, const float* w,
                             int64_t w_stride, float* copy) {
  double sum = 0;
  for (int32_t i = 0; i < rows; i++, u += u_stride, w += w_stride, copy += w_stride) {
    sum += verbs().dot(cols, u, w);
    std::memcpy(copy, u, sizeof(float) * cols);
  }
  return sum;
}

void kfac_cpu_transpose(int32_t rows, int32_t cols, const float* a, int64_t a_stride, float* b, int64_t b_stride) {
  verbs().transpose(rows, cols, a, a_stride, b, b_stride);
}

int32_t kfac_cpu_panel_width(void) { return verbs().panel_width(); }

void kfac_cpu_pack(int32_t k, int32_t n, const float* b, int64_t row, int64_t col, float* panels) {
  verbs().pack(k, n, b, row, col, panels);
}

void kfac_cpu_multiply(int32_t m, int32_t n, int32_t k, const float* a, int64_t a_row, int64_t a_col,
                       const float* panels, float alpha, float beta, float* c, int64_t c_row, int64_t c_col) {
  verbs().multiply({m, n, k, a, a_row, a_col, panels, alpha, beta, c, c_row, c_col});
}

void kfac_cpu_multiply_short(int32_t m, int32_t n, int32_t k, const float* a, int64_t a_col, const float* panels,
                             double alpha, double beta, float* c, int64_t c_row) {
  verbs().multiply_short({m, n, k, a, a_col, panels, alpha, beta, c, c_row});
}

kfac_cpu_plan* kfac_cpu_accumulate_plan(const kfac_cpu_patch_samples* samples, const float* images, double decay,
                                        double weight, float* target, int32_t method) {
  Plan* plan = verbs().accumulate_plan({*samples, images, decay, weight, target}, method);
  return reinterpret_cast<kfac_cpu_plan*>(plan);
}

int32_t kfac_cpu_plan_phases(const kfac_cpu_plan* plan) { return of(plan)->phases(); }

int32_t kfac_cpu_plan_tasks(const kfac_cpu_plan* plan, int32_t phase) { return of(plan)->tasks(phase); }

int64_t kfac_cpu_plan_shared(const kfac_cpu_plan* plan) { return (int64_t)of(plan)->shared_floats(); }

int64_t kfac_cpu_plan_scratch(const kfac_cpu_plan* plan) { return (int64_t)of(plan)->scratch_floats(); }

void kfac_cpu_plan_run(const kfac_cpu_plan* plan, int32_t phase, int32_t task, float* shared, float* scratch) {
  of(plan)->run(phase, task, shared, scratch);
}

int32_t kfac_cpu_plan_status(const kfac_cpu_plan* plan) { return of(plan)->status(); }

void kfac_cpu_plan_free(kfac_cpu_plan* plan) { delete of(plan); }
