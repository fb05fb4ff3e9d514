// Memory for work that is done in parts, all in the same place.
#pragma once
#include <algorithm>
#include "plan.h"

namespace kfac {

// Pieces of memory one after another.
class Region {
 public:
  explicit Region(unsigned char* begin) : begin_(reinterpret_cast<uintptr_t>(begin)) {}
  template <class T>
  T* take(long long count) {
    const uintptr_t at = begin_ + uintptr_t(used_);
    used_ += (count * (long long)sizeof(T) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    return reinterpret_cast<T*>(at);
  }
  long long used() const { return used_; }

 private:
  uintptr_t begin_;
  long long used_ = 0;
};

// prepare(i, region) for all i < count, and run(vector of results) for as many at a time as `bytes` hold, but one at
// least.
template <class Prepare, class Run>
void in_parts(size_t count, long long bytes, Plan& plan, const Prepare& prepare, const Run& run) {
  std::vector<size_t> ends;
  long long peak = 0;
  for (size_t i = 0; i < count;) {
    Region counted(reinterpret_cast<unsigned char*>(ALIGNMENT));  // to be counted, not used
    prepare(i, counted);
    long long used = counted.used();
    while (++i < count) {
      prepare(i, counted);
      if (counted.used() > bytes) break;
      used = counted.used();
    }
    peak = std::max(peak, used);
    ends.push_back(i);
  }
  unsigned char* memory = plan.take<unsigned char>(peak);
  size_t i = 0;
  for (size_t end : ends) {
    Region region(memory);
    std::vector<decltype(prepare(i, region))> all;
    for (; i < end; ++i) all.push_back(prepare(i, region));
    run(all);
  }
}

}  // namespace kfac
