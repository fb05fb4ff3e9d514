#include "plan.h"
#include <algorithm>

namespace kfac {
namespace {

// What one launch uploads: as much as kernel parameters hold, for as many pieces as they come.
struct Chunk {
  static constexpr size_t WORDS = 7168, PARTS = 200;
  struct Part {
    uint32_t* to;
    int first, end;  // words
  };
  Part parts[PARTS];
  int count;
  uint32_t words[WORDS];
};

__global__ void __launch_bounds__(256) upload_kernel(const __grid_constant__ Chunk chunk) {
  for (int p = 0; p < chunk.count; ++p) {
    const Chunk::Part& part = chunk.parts[p];
    for (int i = part.first + threadIdx.x; i < part.end; i += blockDim.x) part.to[i - part.first] = chunk.words[i];
  }
}

}  // namespace

int Plan::run(cudaStream_t stream) const {
  Chunk chunk{};
  size_t used = 0;
  auto flush = [&] {
    const int error = chunk.count ? kfac::launch(upload_kernel, 1, 256, 0, stream, chunk) : 0;
    chunk.count = 0, used = 0;
    return error;
  };
  for (const Upload& u : uploads_)
    for (size_t at = 0; at < u.words.size();) {
      if (used == Chunk::WORDS || chunk.count == int(Chunk::PARTS))
        if (int error = flush()) return error;
      const size_t size = std::min(u.words.size() - at, Chunk::WORDS - used);
      std::copy_n(&u.words[at], size, chunk.words + used);
      chunk.parts[chunk.count++] = {u.to + at, int(used), int(used + size)};
      used += size, at += size;
    }
  if (int error = flush()) return error;
  for (const auto& step : steps_)
    if (int error = step(stream)) return error;
  return 0;
}

}  // namespace kfac
