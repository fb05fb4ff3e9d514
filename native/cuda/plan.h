// A verb's plan: pieces of the caller's workspace, tables of job descriptors, and the launches to make.
//
// Planning touches no device, so that the workspace query is the same code as the call. Descriptors travel by value
// in kernel arguments: nothing on the host to keep alive, nothing that a captured graph could not replay.
#pragma once
#include <cstdint>
#include <cstring>
#include <functional>
#include <vector>
#include "platform.cuh"

namespace kfac {

constexpr long long ALIGNMENT = 256;

// The jobs of one grid: job j has the blocks first[j] .. first[j + 1] - 1.
template <class Job>
struct Table {
  const long long* first;
  const Job* jobs;
  int count;

  // The job of a block, and the block's number within it.
  __device__ const Job& find(long long block, long long& local) const {
    int low = 0, high = count - 1;
    while (low < high) {
      const int middle = (low + high + 1) / 2;
      if (first[middle] <= block) low = middle;
      else high = middle - 1;
    }
    local = block - first[low];
    return jobs[low];
  }
};

template <class Job>
struct Batch {
  std::vector<Job> jobs;
  std::vector<long long> first{0};

  void add(const Job& job, long long blocks) {
    if (blocks == 0) return;
    jobs.push_back(job);
    first.push_back(first.back() + blocks);
  }
  long long blocks() const { return first.back(); }
};

class Plan {
 public:
  // A null workspace only counts; no piece of it is null all the same.
  explicit Plan(void* workspace = nullptr) : base_(workspace ? reinterpret_cast<uintptr_t>(workspace) : ALIGNMENT) {}

  long long bytes() const { return used_; }

  template <class T>
  T* take(long long count) {
    const uintptr_t at = base_ + uintptr_t(used_);
    used_ += (count * (long long)sizeof(T) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    return reinterpret_cast<T*>(at);
  }

  // A piece that holds these values when the first launch runs.
  template <class T>
  T* initial(const std::vector<T>& values) {
    static_assert(sizeof(T) % sizeof(uint32_t) == 0);
    T* to = take<T>((long long)values.size());
    upload(to, values.data(), values.size() * sizeof(T));
    return to;
  }

  // Device memory holds these bytes, a multiple of 4, when the first launch runs.
  void upload(void* to, const void* values, size_t bytes) {
    Upload upload{static_cast<uint32_t*>(to), std::vector<uint32_t>(bytes / sizeof(uint32_t))};
    if (bytes) std::memcpy(upload.words.data(), values, bytes);
    uploads_.push_back(std::move(upload));
  }

  template <class Job>
  Table<Job> table(const Batch<Job>& batch) {
    return {initial(batch.first), initial(batch.jobs), int(batch.jobs.size())};
  }

  template <class... Parameters, class... Arguments>
  void launch(void (*kernel)(Parameters...), long long blocks, dim3 shape, size_t shared,
              const Arguments&... arguments) {
    too_large_ |= blocks > 0x7fffffffLL;
    steps_.push_back(
        [=](cudaStream_t stream) { return kfac::launch(kernel, blocks, shape, shared, stream, arguments...); });
  }
  // For all jobs of a batch; nothing if there are none.
  template <class Job>
  void launch(void (*kernel)(Table<Job>), const Batch<Job>& batch, dim3 shape, size_t shared) {
    if (batch.blocks()) launch(kernel, batch.blocks(), shape, shared, table(batch));
  }

  // A launch has more blocks than a grid can hold.
  bool too_large() const { return too_large_; }

  // Uploads the tables and makes the launches. Returns 0 or a cudaError_t.
  int run(cudaStream_t stream) const;

 private:
  struct Upload {
    uint32_t* to;
    std::vector<uint32_t> words;
  };
  uintptr_t base_;
  long long used_ = 0;
  bool too_large_ = false;
  std::vector<Upload> uploads_;
  std::vector<std::function<int(cudaStream_t)>> steps_;
};

}  // namespace kfac
