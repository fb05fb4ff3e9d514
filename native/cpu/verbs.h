// What each instruction set implements.
#pragma once
#include <cstddef>
#include <cstdint>
#include "kfac_cpu.h"

namespace kfac {

/// Damped matrices of one size: matrix k is scale[k] * source[k] + damping[k] I.
struct InvertRequest {
  int32_t n, count;
  const float* const* source;
  const double* scale;
  const double* damping;
  float* const* inverse;
  int32_t* status;  // 0; -1: NaN or infinity; or the 1-based pivot that is not positive
};

/// One request for the second moment of patches.
struct AccumulateRequest {
  kfac_cpu_patch_samples conv;
  const float* images;
  double decay, weight;
  float* target;
};

/// See kfac_cpu_multiply.
struct PanelProduct {
  int32_t m, n, k;
  const float* a;
  int64_t a_row, a_col;
  const float* panels;
  float alpha, beta;
  float* c;
  int64_t c_row, c_col;
};

/// See kfac_cpu_multiply_short.
struct ShortProduct {
  int32_t m, n, k;
  const float* a;
  int64_t a_col;
  const float* panels;
  double alpha, beta;
  float* c;
  int64_t c_row;
};

/// See kfac_cpu_plan.
struct Plan {
  virtual int phases() const = 0;
  virtual int tasks(int phase) const = 0;
  virtual size_t shared_floats() const = 0;
  virtual size_t scratch_floats() const = 0;
  virtual void run(int phase, int task, float* shared, float* scratch) const = 0;
  virtual int32_t status() const { return 0; }
  virtual ~Plan();
};

struct Verbs {
  const char* instructions;
  int (*lanes)(int n);  // matrices that are inverted side by side
  size_t (*invert_floats)(int n);
  void (*invert)(const InvertRequest& request, float* work);
  Plan* (*invert_plan)(int n, const float* source, double scale, double damping, float* inverse);
  double (*dot)(int64_t n, const float* x, const float* y);
  void (*transpose)(int rows, int cols, const float* a, int64_t a_stride, float* b, int64_t b_stride);
  int (*panel_width)();
  void (*pack)(int k, int n, const float* b, int64_t row, int64_t col, float* panels);
  void (*multiply)(const PanelProduct& product);
  void (*multiply_short)(const ShortProduct& product);
  Plan* (*accumulate_plan)(const AccumulateRequest& request, int method);
};

namespace portable {
extern const Verbs verbs;
}
namespace avx2 {
extern const Verbs verbs;
}
namespace avx512 {
extern const Verbs verbs;
}

}  // namespace kfac
