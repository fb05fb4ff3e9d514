// A small test harness: named tests, device buffers, random data. The same for the emulation and for a GPU.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <vector>
#include "kfac_cuda.h"
#ifndef CUDA_EMU
#include <cuda_runtime_api.h>
#endif

namespace test {

struct Test {
  const char* name;
  void (*run)();
};
inline std::vector<Test>& tests() {
  static std::vector<Test> all;
  return all;
}
struct Register {
  Register(const char* name, void (*run)()) { tests().push_back({name, run}); }
};
inline int failures = 0;
inline const char* running = "";  // the test

inline void fail(const char* file, int line, const std::string& what) {
  if (++failures <= 20)
    std::printf("  %s:%d: %s\n", std::strrchr(file, '/') ? std::strrchr(file, '/') + 1 : file, line, what.c_str());
}
template <class... A>
std::string text(const char* format, A... arguments) {
  char buffer[512];
  std::snprintf(buffer, sizeof buffer, format, arguments...);
  return buffer;
}

// TEST(group_name) { ... }
#define TEST(name)                                          \
  static void name();                                       \
  static const test::Register register_##name(#name, name); \
  static void name()
#define CHECK(condition, ...)                                                                       \
  do {                                                                                              \
    if (!(condition)) test::fail(__FILE__, __LINE__, #condition ": " + test::text("" __VA_ARGS__)); \
  } while (0)

inline void sync(int line) {
#ifdef CUDA_EMU
  (void)line;
#else
  if (const cudaError_t e = cudaDeviceSynchronize()) {
    std::printf("  line %d: %s\nFAIL %s\n", line, cudaGetErrorString(e), running);
    std::exit(2);
  }
#endif
}
// A call that must succeed.
#define CALL(expression)                                                                                  \
  do {                                                                                                    \
    const int status_ = (expression);                                                                     \
    if (status_)                                                                                          \
      test::fail(__FILE__, __LINE__,                                                                      \
                 std::string(#expression ": ") + kfac_error_string(status_) + " " + kfac_error_detail()); \
    test::sync(__LINE__);                                                                                 \
  } while (0)

constexpr unsigned char POISON = 0xff;  // a NaN in every format

// Device memory with a copy of host values; on a GPU between two guard bands that must stay as they are.
template <class T>
class Device {
 public:
  explicit Device(const std::vector<T>& values) : Device(values.size()) { set(values); }
  explicit Device(size_t size, bool poisoned = true) : size_(size) {
#ifdef CUDA_EMU
    data_ = static_cast<T*>(std::aligned_alloc(256, (bytes() + 255) / 256 * 256 + 256));
    if (data_ && poisoned) std::memset(static_cast<void*>(data_), POISON, bytes());
#else
    unsigned char* all = nullptr;
    if (cudaMalloc(reinterpret_cast<void**>(&all), bytes() + 2 * GUARD) != cudaSuccess) std::exit(2);
    cudaMemset(all, POISON, GUARD);
    cudaMemset(all + GUARD + bytes(), POISON, GUARD);
    if (poisoned) cudaMemset(all + GUARD, POISON, bytes());
    data_ = reinterpret_cast<T*>(all + GUARD);
#endif
  }
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;
  ~Device() {
#ifdef CUDA_EMU
    std::free(data_);
#else
    std::vector<unsigned char> guard(GUARD);
    unsigned char* ends[] = {reinterpret_cast<unsigned char*>(data_) - GUARD,
                             reinterpret_cast<unsigned char*>(data_) + bytes()};
    for (unsigned char* end : ends) {
      cudaMemcpy(guard.data(), end, GUARD, cudaMemcpyDeviceToHost);
      for (unsigned char byte : guard)
        if (byte != POISON) fail(__FILE__, __LINE__, "a guard band was overwritten"), byte = POISON;
    }
    cudaFree(ends[0]);
#endif
  }
  T* get() const { return data_; }
  size_t size() const { return size_; }
  size_t bytes() const { return size_ * sizeof(T); }
  void set(const std::vector<T>& values) {
#ifdef CUDA_EMU
    if (size_) std::memcpy(static_cast<void*>(data_), values.data(), bytes());
#else
    cudaMemcpy(data_, values.data(), bytes(), cudaMemcpyHostToDevice);
#endif
  }
  std::vector<T> host() const {
    std::vector<T> values(size_);
#ifdef CUDA_EMU
    if (size_) std::memcpy(static_cast<void*>(values.data()), data_, bytes());
#else
    cudaMemcpy(values.data(), data_, bytes(), cudaMemcpyDeviceToHost);
#endif
    return values;
  }

 private:
  static constexpr size_t GUARD = 1024;
  T* data_ = nullptr;
  size_t size_;
};

// A workspace of exactly the bytes asked for; with KFAC_TEST_RAW_WORKSPACE as it was allocated, for initcheck, which
// takes poison for a value.
class Workspace {
 public:
  explicit Workspace(long long bytes)
      : data_(size_t(bytes > 0 ? bytes : 0), !std::getenv("KFAC_TEST_RAW_WORKSPACE")), bytes_(bytes) {
    if (bytes < 0) fail(__FILE__, __LINE__, std::string("workspace query: ") + kfac_error_detail());
  }
  void* get() const { return data_.get(); }
  long long bytes() const { return bytes_; }

 private:
  Device<unsigned char> data_;
  long long bytes_;
};

inline std::mt19937& generator() {
  static std::mt19937 g;
  return g;
}
inline std::normal_distribution<float>& distribution() {
  static std::normal_distribution<float> d;
  return d;
}
inline float normal() { return distribution()(generator()); }
inline std::vector<float> normals(size_t n, float scale = 1.0f) {
  std::vector<float> v(n);
  for (float& x : v) x = normal() * scale;
  return v;
}

// |x - reference| / |reference|, Frobenius; NaN unless all of x is finite
template <class T>
double error(const std::vector<T>& x, const std::vector<double>& reference) {
  double difference = 0, norm = 0;
  for (size_t i = 0; i < reference.size(); ++i) {
    const double d = double(x[i]) - reference[i];
    difference += d * d;
    norm += reference[i] * reference[i];
  }
  return norm > 0 ? std::sqrt(difference / norm) : std::sqrt(difference);
}
template <class T>
bool same_bits(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0;
}
inline bool symmetric(const float* m, int n) {
  for (int i = 0; i < n; ++i)
    for (int j = 0; j < i; ++j)
      if (std::memcmp(&m[i * n + j], &m[j * n + i], sizeof(float))) return false;
  return true;
}

}  // namespace test
