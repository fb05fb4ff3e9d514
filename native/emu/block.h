// The emulated block: runs its threads as fibers, opens barriers, reports deadlocks and divergence.
// CUDA_EMU_ORDER = rev | rand:<seed> changes the schedule; a missing barrier then shows in the results,
// because each thread runs undisturbed from one barrier to the next. CUDA_EMU_LAST_BLOCKS = n runs only the last n
// blocks of every launch.
#pragma once
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <functional>
#include <memory>
#include <random>
#include <vector>
#include "fiber.h"

struct uint3 {
  unsigned x, y, z;
};
struct dim3 {
  unsigned x, y, z;
  constexpr dim3(unsigned x = 1, unsigned y = 1, unsigned z = 1) : x(x), y(y), z(z) {}
};
inline thread_local uint3 threadIdx, blockIdx;
inline thread_local dim3 blockDim, gridDim;

namespace emu {

enum State : uint8_t { READY, AT_BLOCK_BARRIER, AT_WARP_BARRIER, EXITED };

struct Thread {
  Fiber fiber;
  State state = EXITED;
  uint3 index{};
  unsigned number = 0, mask = 0;
  int line = 0;
  bool vote = false;
};

// What the lanes of a warp exchange: deposited before a warp barrier, a snapshot is taken when it opens.
struct Warp {
  uint64_t in[32][4], out[32][4];
  bool expanded = false;  // the two arrays below hold the matrix fragments of this snapshot
  double left[16][16], right[8][16];
};

struct Block {
  std::unique_ptr<Thread[]> threads;
  std::vector<Warp> warps;
  std::vector<char> shared;
  Fiber host;
  Thread* current = nullptr;
  unsigned capacity = 0, size = 0;
  bool unanimous = false;  // result of the last __syncthreads_and
  const std::function<void()>* body = nullptr;
};
inline thread_local Block* block = nullptr;

// What async_emu.h wants to know: a barrier of the block opens, a block ends.
struct Hooks {
  void (*barrier)() = nullptr;
  void (*end)() = nullptr;
};
inline thread_local Hooks hooks;

[[noreturn]] inline void die(const char* why) {
  static const char* const names[] = {"ready", "__syncthreads", "warp operation", "exited"};
  std::fprintf(stderr, "cuda_emu: %s in block (%u,%u,%u):", why, blockIdx.x, blockIdx.y, blockIdx.z);
  for (unsigned i = 0, shown = 0; i < block->size && shown < 8; ++i) {
    const Thread& t = block->threads[i];
    const Thread& before = block->threads[i ? i - 1 : 0];
    if (i && t.state == before.state && t.mask == before.mask && t.line == before.line) continue;
    std::fprintf(stderr, " [thread %u: %s line %d mask %08x]", i, names[t.state], t.line, t.mask);
    ++shown;
  }
  std::fputc('\n', stderr);
  std::abort();
}

inline void thread_main() {
  entered_first_time();
  Thread& me = *block->current;
  (*block->body)();
  me.state = EXITED;
  leave(me.fiber, block->host, true);
  __builtin_unreachable();
}

__attribute__((noinline)) inline void wait(State at) {
  Thread& me = *block->current;
  me.state = at;
  leave(me.fiber, block->host, false);
}

// Opens every warp barrier whose whole (live) mask has arrived. True if one opened.
inline bool open_warp_barriers(unsigned first) {
  Block& b = *block;
  unsigned waiting = 0, alive = 0;
  for (unsigned l = 0; l < 32 && first + l < b.size; ++l) {
    waiting |= unsigned(b.threads[first + l].state == AT_WARP_BARRIER) << l;
    alive |= unsigned(b.threads[first + l].state != EXITED) << l;
  }
  bool opened = false;
  for (unsigned l = 0; l < 32; ++l) {
    if (!(waiting >> l & 1)) continue;
    unsigned members = b.threads[first + l].mask & alive;
    bool complete = (members & ~waiting) == 0;
    for (unsigned k = 0; k < 32 && complete; ++k)
      if (members >> k & 1) complete = b.threads[first + k].mask == b.threads[first + l].mask;
    if (!complete) continue;
    Warp& w = b.warps[first / 32];
    w.expanded = false;
    for (unsigned k = 0; k < 32; ++k) {
      if (!(members >> k & 1)) continue;
      std::memcpy(w.out[k], w.in[k], sizeof w.in[k]);
      b.threads[first + k].state = READY;
    }
    waiting &= ~members;
    opened = true;
  }
  return opened;
}

inline bool run_warp(unsigned first, const std::vector<unsigned>& lanes) {
  Block& b = *block;
  bool ran = false;
  for (unsigned l : lanes) {
    if (first + l >= b.size || b.threads[first + l].state != READY) continue;
    b.current = &b.threads[first + l];
    threadIdx = b.current->index;
    enter(b.host, b.current->fiber);
    ran = true;
  }
  return open_warp_barriers(first) || ran;
}

inline void open_block_barrier() {
  Block& b = *block;
  int line = 0;
  b.unanimous = true;
  for (unsigned i = 0; i < b.size; ++i) {
    Thread& t = b.threads[i];
    if (t.state == EXITED) continue;
    if (t.state != AT_BLOCK_BARRIER) die("deadlock (divergent barrier)");
    if (!line) line = t.line;
    if (t.line != line) die("threads wait at different __syncthreads");
    b.unanimous &= t.vote;
  }
  for (unsigned i = 0; i < b.size; ++i)
    if (b.threads[i].state == AT_BLOCK_BARRIER) b.threads[i].state = READY;
  if (hooks.barrier) hooks.barrier();
}

inline void run_block(const std::vector<unsigned>& warps, const std::vector<unsigned>& lanes) {
  Block& b = *block;
  std::fill(b.shared.begin(), b.shared.end(), char(0xff));  // NaN in every format: reads before writes show
  for (unsigned i = 0; i < b.size; ++i) {
    b.threads[i].fiber.start(thread_main);
    b.threads[i].state = READY;
    b.threads[i].mask = 0;
  }
  for (;;) {
    for (unsigned w : warps)
      while (run_warp(w * 32, lanes)) {
      }
    bool finished = true;
    for (unsigned i = 0; i < b.size; ++i) finished &= b.threads[i].state == EXITED;
    if (finished) {
      if (hooks.end) hooks.end();
      return;
    }
    open_block_barrier();
  }
}

// What a block may have on every chip from sm_80 on.
constexpr size_t MAX_SHARED = 99 * 1024;

inline bool launchable(dim3 grid, dim3 shape, size_t shared_bytes) {
  const unsigned n = shape.x * shape.y * shape.z;
  return n != 0 && n <= 1024 && grid.x && grid.y && grid.z && grid.x <= 0x7fffffffu && grid.y <= 65535 &&
         grid.z <= 65535 && shared_bytes <= MAX_SHARED;
}

inline void launch(dim3 grid, dim3 shape, size_t shared_bytes, const std::function<void()>& body) {
  const unsigned n = shape.x * shape.y * shape.z;
  static thread_local Block b;
  if (b.capacity < n) {
    b.threads.reset(new Thread[n]);
    b.capacity = n;
  }
  block = &b;
  b.size = n;
  b.body = &body;
  b.shared = std::vector<char>(shared_bytes);  // exact size: AddressSanitizer sees an overrun
  b.warps.resize((n + 31) / 32);
  for (unsigned i = 0; i < n; ++i) {
    b.threads[i].number = i;
    b.threads[i].index = {i % shape.x, i / shape.x % shape.y, i / shape.x / shape.y};
  }
  blockDim = shape;
  gridDim = grid;
  const char* order = std::getenv("CUDA_EMU_ORDER");
  const bool reverse = order && !std::strcmp(order, "rev");
  const bool shuffle = order && !std::strncmp(order, "rand:", 5);
  std::mt19937 random(shuffle ? std::atoi(order + 5) : 0);
  std::vector<unsigned> warps(b.warps.size()), lanes(32);
  for (unsigned i = 0; i < warps.size(); ++i) warps[i] = reverse ? unsigned(warps.size()) - 1 - i : i;
  for (unsigned i = 0; i < 32; ++i) lanes[i] = reverse ? 31 - i : i;
  auto mix = [&](std::vector<unsigned>& v) {
    for (size_t i = v.size(); i > 1; --i) std::swap(v[i - 1], v[random() % i]);
  };
  const size_t blocks = size_t(grid.x) * grid.y * grid.z;
  const char* last = std::getenv("CUDA_EMU_LAST_BLOCKS");
  const size_t skipped = last ? blocks - std::min(blocks, size_t(std::atoi(last))) : 0;
  for (size_t i = skipped; i < blocks; ++i) {
    if (shuffle) mix(warps), mix(lanes);
    const size_t at = reverse ? blocks - 1 - (i - skipped) : i;  // blocks may run in any order, too
    blockIdx = {unsigned(at % grid.x), unsigned(at / grid.x % grid.y), unsigned(at / grid.x / grid.y)};
    run_block(warps, lanes);
  }
  block = nullptr;
}

}  // namespace emu
