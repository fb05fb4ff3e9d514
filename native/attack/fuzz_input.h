// What the fuzzers share: numbers from bytes, and memory of the exact size, so that every step beyond it is found.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <vector>

namespace fuzz {

struct Bytes {
  const uint8_t* data;
  size_t size, at = 0;
  int64_t number(int64_t least, int64_t most) {
    unsigned two = 0;
    for (int i = 0; i < 2; i++) two = two << 8 | (at < size ? data[at++] : (unsigned)(at++ * 37 & 255));
    return least + two % (most - least + 1);
  }
  float real() { return (float)number(0, 255) / 128 - 1; }
  int64_t extent() {  // small, now and then far
    static const int64_t far[] = {16, 17, 31, 100, 255, 256, 257, 1000, 60000};
    return number(0, 15) ? number(1, 9) : far[number(0, 8)];
  }
};

struct Free {
  void operator()(float* p) const { std::free(p); }
};
inline std::unique_ptr<float, Free> memory(int64_t floats) {
  void* p = std::aligned_alloc(64, size_t(floats * 4 + 63) / 64 * 64 + (floats ? 0 : 64));
  if (!p) std::abort();
  std::fill_n((float*)p, floats, NAN);
  return std::unique_ptr<float, Free>((float*)p);
}

inline void require(bool holds, const char* what, double value = 0) {
  if (holds) return;
  std::fprintf(stderr, "%s: %g\n", what, value);
  std::abort();
}

}  // namespace fuzz
