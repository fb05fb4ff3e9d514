// What each instruction set implements.
#pragma once
#include <cstddef>
#include <cstdint>

namespace kfac {

/// Damped matrices of one size: matrix k is scale[k] * source[k] + damping[k] I.
struct Inversions {
  int32_t n, count;
  const float* const* source;
  const double* scale;
  const double* damping;
  float* const* inverse;
  int32_t* status;  // 0; -1: NaN or infinity; or the 1-based pivot that is not positive
};

struct Verbs {
  const char* instructions;
  int lanes;  // matrices that are inverted side by side
  size_t (*invert_floats)(int n);
  void (*invert)(const Inversions& request, float* work);
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
