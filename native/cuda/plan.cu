#include "plan.h"

namespace kfac {
namespace {

struct Chunk {
  static constexpr size_t BYTES = 4000;  // with the other arguments within 4 KiB, the limit of older drivers
  unsigned char bytes[BYTES];
};

__global__ void upload_kernel(const __grid_constant__ Chunk chunk, unsigned char* to, int size) {
  for (int i = threadIdx.x; i < size; i += blockDim.x) to[i] = chunk.bytes[i];
}

}  // namespace

int Plan::run(cudaStream_t stream) const {
  for (const Upload& u : uploads_) {
    for (size_t at = 0; at < u.bytes.size(); at += Chunk::BYTES) {
      const size_t size = u.bytes.size() - at < Chunk::BYTES ? u.bytes.size() - at : Chunk::BYTES;
      Chunk chunk;
      std::memcpy(chunk.bytes, u.bytes.data() + at, size);
      if (int error = kfac::launch(upload_kernel, 1, 256, 0, stream, chunk, u.to + at, int(size))) return error;
    }
  }
  for (const auto& step : steps_)
    if (int error = step(stream)) return error;
  return 0;
}

}  // namespace kfac
