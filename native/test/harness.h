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
#include <cuda_runtime_api.h>
#include "kfac_cuda.h"

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

// An error of CUDA costs the process its context: nothing more can be tested.
inline void must(cudaError_t error, const char* file, int line) {
  if (error == cudaSuccess) return;
  fail(file, line, cudaGetErrorString(error));
  std::printf("FAIL %s\n", running);
  std::exit(2);
}
#define MUST(expression) test::must(expression, __FILE__, __LINE__)
// A verb that must be accepted; ENQUEUE does not wait for it, as nothing may while a stream captures.
#define ENQUEUE(expression)                                                                               \
  do {                                                                                                    \
    const int status_ = (expression);                                                                     \
    if (status_)                                                                                          \
      test::fail(__FILE__, __LINE__,                                                                      \
                 std::string(#expression ": ") + kfac_error_string(status_) + " " + kfac_error_detail()); \
  } while (0)
#define CALL(expression)           \
  do {                             \
    ENQUEUE(expression);           \
    MUST(cudaDeviceSynchronize()); \
  } while (0)

constexpr unsigned char POISON = 0xff;  // a NaN in every format

// Device memory with a copy of host values, between two guard bands that must stay as they are. The stand-in for CUDA's
// runtime has bands of its own, at which a read faults as well.
template <class T>
class Device {
 public:
  explicit Device(const std::vector<T>& values) : Device(values.size()) { set(values); }
  explicit Device(size_t size, bool poisoned = true) : size_(size) {
    MUST(cudaMalloc(&all_, bytes() + 2 * GUARD));
    if (GUARD) {
      MUST(cudaMemset(all_, POISON, GUARD));
      MUST(cudaMemset(at(GUARD + bytes()), POISON, GUARD));
    }
    if (poisoned && size_) MUST(cudaMemset(at(GUARD), POISON, bytes()));
  }
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;
  ~Device() {
    std::vector<unsigned char> guard(GUARD);
    for (unsigned char* end : {at(0), at(GUARD + bytes())}) {
      if (GUARD) MUST(cudaMemcpy(guard.data(), end, GUARD, cudaMemcpyDeviceToHost));
      for (unsigned char byte : guard)
        if (byte != POISON) fail(__FILE__, __LINE__, "a guard band was overwritten"), byte = POISON;
    }
    MUST(cudaFree(all_));
  }
  T* get() const { return reinterpret_cast<T*>(at(GUARD)); }
  size_t size() const { return size_; }
  size_t bytes() const { return size_ * sizeof(T); }
  void set(const std::vector<T>& values) {
    if (size_) MUST(cudaMemcpy(get(), values.data(), bytes(), cudaMemcpyHostToDevice));
  }
  std::vector<T> host() const {
    std::vector<T> values(size_);
    if (size_) MUST(cudaMemcpy(values.data(), get(), bytes(), cudaMemcpyDeviceToHost));
    return values;
  }

 private:
#ifdef CUDA_EMU
  static constexpr size_t GUARD = 0;
#else
  static constexpr size_t GUARD = 1024;
#endif
  void* all_ = nullptr;
  size_t size_;

  unsigned char* at(size_t byte) const { return static_cast<unsigned char*>(all_) + byte; }
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
