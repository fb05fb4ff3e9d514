// cp.async for the emulation. A copy poisons its destination when it is issued; the bytes arrive when a barrier of the
// block opens after the issuing thread has waited for their group, and not before, not even for that thread. The
// hardware may show them earlier: code that is right here does not depend on when.
#pragma once
#include "tensor_emu.h"

namespace emu {

constexpr unsigned char POISON = 0xff;  // NaN as fp16, bf16 and fp32

struct Copy {
  uintptr_t to;
  const void* from;  // null: zeros
};

class AsyncCopies {
 public:
  AsyncCopies() {
    hooks = {[] { self().barrier(); }, [] { self().end(); }};
  }
  static AsyncCopies& self() {
    static thread_local AsyncCopies copies;
    return copies;
  }

  void issue(uintptr_t to, const void* from, bool wanted) {
    const uintptr_t shared = uintptr_t(block->shared.data());
    if (to % 16) die("cp.async to an address that is not 16-byte aligned");
    if (wanted && uintptr_t(from) % 16) die("cp.async from an address that is not 16-byte aligned");
    if (to < shared || to + 16 > shared + block->shared.size()) die("cp.async outside of shared memory");
    std::memset(reinterpret_cast<void*>(to), POISON, 16);
    mine().open.push_back({to, wanted ? from : nullptr});
    mine().issued.push_back(to);
  }
  void commit() {
    Queue& q = mine();
    q.groups.push_back(std::move(q.open));
    q.open.clear();
  }
  void wait(unsigned most) {
    Queue& q = mine();
    while (q.groups.size() > most) {
      q.landed.insert(q.landed.end(), q.groups.front().begin(), q.groups.front().end());
      q.groups.erase(q.groups.begin());
    }
  }

 private:
  struct Queue {
    std::vector<Copy> open, landed;
    std::vector<std::vector<Copy>> groups;
    std::vector<uintptr_t> issued;  // since the last barrier
  };
  std::vector<Queue> queues_ = std::vector<Queue>(1024);

  Queue& mine() { return queues_[block->current->number]; }

  // Eight threads at a time store their 16 bytes; they must use all banks.
  void check_banks() {
    for (unsigned first = 0; first + 8 <= block->size; first += 8)
      for (size_t i = 0; i < queues_[first].issued.size(); ++i) {
        unsigned groups = 0;
        for (unsigned t = 0; t < 8; ++t)
          if (i < queues_[first + t].issued.size()) groups |= 1u << (queues_[first + t].issued[i] / 16 % 8);
        if (groups != 0xff) die("cp.async with bank conflicts");
      }
    for (unsigned t = 0; t < block->size; ++t) queues_[t].issued.clear();
  }
  void barrier() {
    check_banks();
    for (unsigned t = 0; t < block->size; ++t) {
      for (const Copy& c : queues_[t].landed) {
        void* to = reinterpret_cast<void*>(c.to);
        if (c.from) std::memcpy(to, c.from, 16);
        else std::memset(to, 0, 16);
      }
      queues_[t].landed.clear();
    }
  }
  void end() {
    for (unsigned t = 0; t < block->size; ++t) {
      Queue& q = queues_[t];
      bool pending = !q.open.empty() || !q.landed.empty();
      for (const auto& g : q.groups) pending |= !g.empty();
      if (pending) die("the block ends with copies in flight");
      q = Queue();
    }
  }
};

}  // namespace emu
