// Memory of the stand-in for CUDA's runtime: poisoned when it comes, and gone when it goes. Each allocation has pages
// of its own with none behind them, so a use beyond its last page or after its end is a fault; AddressSanitizer, where
// it is there, sees the last byte too.
#pragma once
#include <sys/mman.h>
#include <cstdint>
#include <cstring>
#include <deque>
#include <map>
#include <mutex>

extern "C" {
void __asan_poison_memory_region(const volatile void*, size_t) __attribute__((weak));
void __asan_unpoison_memory_region(const volatile void*, size_t) __attribute__((weak));
}

namespace fake {

class Memory {
 public:
  static constexpr size_t TOTAL = size_t(4) << 30;

  // Null if there is not that much.
  void* allocate(size_t bytes, bool device) {
    const std::lock_guard<std::mutex> guard(lock_);
    if (bytes > TOTAL - used_) return nullptr;
    const size_t pages = (bytes + PAGE - 1) / PAGE * PAGE;
    void* p = mmap(nullptr, pages + PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED || mprotect(p, pages, PROT_READ | PROT_WRITE)) return nullptr;
    if (__asan_unpoison_memory_region) __asan_unpoison_memory_region(p, pages);
    std::memset(p, 0xff, bytes);
    if (__asan_poison_memory_region) __asan_poison_memory_region(static_cast<char*>(p) + bytes, pages - bytes);
    live_[address(p)] = {bytes, pages, device};
    used_ += bytes;
    return p;
  }
  // False if it is no allocation.
  bool release(void* p) {
    const std::lock_guard<std::mutex> guard(lock_);
    const auto found = live_.find(address(p));
    if (found == live_.end()) return false;
    const Allocation gone = found->second;
    used_ -= gone.bytes;
    live_.erase(found);
    mmap(p, gone.pages, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
    freed_[address(p)] = gone;
    order_.push_back(p);
    while (order_.size() > REMEMBERED) {
      void* const oldest = order_.front();
      const size_t pages = freed_.at(address(oldest)).pages;
      if (__asan_unpoison_memory_region) __asan_unpoison_memory_region(oldest, pages);
      munmap(oldest, pages + PAGE);
      freed_.erase(address(oldest));
      order_.pop_front();
    }
    return true;
  }
  // Neither beyond an allocation nor in one that was freed; other memory of the host is.
  bool usable(const void* p, size_t bytes) {
    const std::lock_guard<std::mutex> guard(lock_);
    if (bytes == 0) return true;
    if (!p || holder(freed_, p)) return false;
    const auto* inside = holder(live_, p);
    return !inside || address(p) + bytes <= inside->first + inside->second.bytes;
  }
  // 0: not ours, 1: pinned memory of the host, 2: of the device.
  int type(const void* p) {
    const std::lock_guard<std::mutex> guard(lock_);
    const auto* inside = holder(live_, p);
    return !inside ? 0 : inside->second.device ? 2 : 1;
  }
  size_t free_bytes() {
    const std::lock_guard<std::mutex> guard(lock_);
    return TOTAL - used_;
  }

 private:
  static constexpr size_t PAGE = 4096, REMEMBERED = 4096;
  struct Allocation {
    size_t bytes, pages;
    bool device;
  };
  using Map = std::map<uintptr_t, Allocation>;
  std::mutex lock_;
  size_t used_ = 0;
  Map live_, freed_;
  std::deque<void*> order_;  // of those that were freed

  static uintptr_t address(const void* p) { return reinterpret_cast<uintptr_t>(p); }
  static const Map::value_type* holder(const Map& map, const void* p) {
    auto next = map.upper_bound(address(p));
    if (next == map.begin()) return nullptr;
    --next;
    return address(p) < next->first + next->second.bytes ? &*next : nullptr;
  }
};

}  // namespace fake
