// Arrays beyond 2^31 elements. On a GPU they are real. In the emulation they are reserved addresses that nothing backs
// but the pages in use, and only the last blocks of every launch run.
#pragma once
#include "harness.h"
#ifdef CUDA_EMU
#include <sys/mman.h>
#endif

namespace test {

// A large array of zeros.
template <class T>
class Large {
 public:
  explicit Large(long long size) : size_(size) {
#ifdef CUDA_EMU
    void* all = mmap(nullptr, bytes(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (all == MAP_FAILED) std::perror("mmap"), std::exit(2);
    madvise(all, bytes(), MADV_NOHUGEPAGE);
    data_ = static_cast<T*>(all);
#else
    if (cudaMalloc(reinterpret_cast<void**>(&data_), bytes()) != cudaSuccess) std::exit(2);
    cudaMemset(data_, 0, bytes());
#endif
  }
  Large(const Large&) = delete;
  Large& operator=(const Large&) = delete;
  ~Large() {
#ifdef CUDA_EMU
    munmap(data_, bytes());
#else
    cudaFree(data_);
#endif
  }
  T* get() const { return data_; }
  size_t bytes() const { return size_t(size_) * sizeof(T); }
  void set(long long at, T value) {
#ifdef CUDA_EMU
    data_[at] = value;
#else
    cudaMemcpy(data_ + at, &value, sizeof value, cudaMemcpyHostToDevice);
#endif
  }
  T operator[](long long at) const {
#ifdef CUDA_EMU
    return data_[at];
#else
    T value;
    cudaMemcpy(&value, data_ + at, sizeof value, cudaMemcpyDeviceToHost);
    return value;
#endif
  }

 private:
  T* data_ = nullptr;
  long long size_;
};

// Whether these many bytes are there; says so if not.
inline bool room(double bytes) {
#ifdef CUDA_EMU
  return bytes > 0;
#else
  size_t free_bytes = 0, total = 0;
  cudaMemGetInfo(&free_bytes, &total);
  if (double(free_bytes) > bytes + 1e9) return true;
  std::printf("  SKIPPED: needs %.0f GB of device memory\n", bytes / 1e9);
  return false;
#endif
}

// In the emulation, while it lives: the launches run their last blocks only.
struct LastBlocks {
  explicit LastBlocks(int count) { setenv("CUDA_EMU_LAST_BLOCKS", std::to_string(count).c_str(), 1); }
  ~LastBlocks() { unsetenv("CUDA_EMU_LAST_BLOCKS"); }
};

}  // namespace test
