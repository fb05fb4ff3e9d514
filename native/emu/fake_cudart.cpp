// Stand-in for libcudart.so.13 on host memory, so that code written against the real one runs without a GPU: errors,
// the device, memory. Streams and graphs are in fake_stream.cpp. There is one device, named as what it is. JavaCPP
// binds lazily: only the functions that are really called must exist.
//
// KFAC_FAKE_FAIL="FUNCTION CODE FIRST LAST": calls number FIRST to LAST of this function return this cudaError_t. One
// from 700 on is sticky: from then on every call returns it, as after an illegal address.
// KFAC_FAKE_MANAGED: memory that was not allocated here counts as managed, so that a trainer on the CPU serves as one
// on a GPU.
#include "fake_cudart.h"
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include "fake_memory.h"

namespace fake {
namespace {

thread_local cudaError_t last_error = cudaSuccess;

Memory& memory() {
  static Memory all;
  return all;
}
cudaError_t allocate(void** p, size_t bytes, bool device) {
  REFUSE(unless_capturing());
  *p = bytes ? memory().allocate(bytes, device) : nullptr;
  return result(*p || bytes == 0 ? cudaSuccess : cudaErrorMemoryAllocation);
}
cudaError_t release(void* p) {
  REFUSE(unless_capturing());
  return result(!p || memory().release(p) ? cudaSuccess : cudaErrorInvalidValue);
}
cudaError_t copy(cudaStream_t stream, void* to, const void* from, size_t bytes) {
  if (!memory().usable(to, bytes) || !memory().usable(from, bytes)) return result(cudaErrorInvalidValue);
  return emulatedLaunch(stream, [=] {
    if (bytes) std::memmove(to, from, bytes);
  });
}
cudaError_t fill(cudaStream_t stream, void* to, int value, size_t bytes) {
  if (!memory().usable(to, bytes)) return result(cudaErrorInvalidValue);
  return emulatedLaunch(stream, [=] {
    if (bytes) std::memset(to, value, bytes);
  });
}

}  // namespace

cudaError_t result(cudaError_t error) {
  if (error) last_error = error;
  return error;
}

cudaError_t wished(const char* function) {
  static const char* const wish = std::getenv("KFAC_FAKE_FAIL");
  static std::mutex lock;
  static int calls = 0;
  static cudaError_t sticky = cudaSuccess;
  if (!wish) return cudaSuccess;
  const std::lock_guard<std::mutex> guard(lock);
  if (sticky) return result(sticky);
  char name[64] = "";
  int code = 0, first = 0, last = 0;
  if (std::sscanf(wish, "%63s %d %d %d", name, &code, &first, &last) != 4 || std::strcmp(name, function))
    return cudaSuccess;
  if (++calls < first || calls > last) return cudaSuccess;
  if (code >= 700) sticky = cudaError_t(code);
  return result(cudaError_t(code));
}

}  // namespace fake

using namespace fake;

extern "C" {

int cudaRuntimeGetVersion(int* version) { return *version = 13000, cudaSuccess; }
int cudaDriverGetVersion(int* version) { return *version = 13000, cudaSuccess; }
cudaError_t cudaGetDeviceCount(int* count) { return *count = 1, cudaSuccess; }
int cudaGetDevice(int* device) { return *device = 0, cudaSuccess; }
cudaError_t cudaSetDevice(int device) {
  FAIL_IF_WISHED;
  return result(device == 0 ? cudaSuccess : cudaErrorInvalidDevice);
}
// 75, 76: compute capability; every other attribute is 0.
int cudaDeviceGetAttribute(int* value, int attribute, int device) {
  *value = attribute == 75 ? 9 : 0;
  return result(device == 0 ? cudaSuccess : cudaErrorInvalidDevice);
}
cudaError_t cudaGetLastError() {
  const cudaError_t error = last_error;
  last_error = cudaSuccess;
  return error;
}
int cudaPeekAtLastError() { return last_error; }
const char* cudaGetErrorName(int error) {
  switch (error) {
    case cudaSuccess: return "cudaSuccess";
    case cudaErrorInvalidValue: return "cudaErrorInvalidValue";
    case cudaErrorMemoryAllocation: return "cudaErrorMemoryAllocation";
    case cudaErrorInvalidConfiguration: return "cudaErrorInvalidConfiguration";
    case cudaErrorInvalidDevice: return "cudaErrorInvalidDevice";
    case cudaErrorInvalidResourceHandle: return "cudaErrorInvalidResourceHandle";
    case cudaErrorIllegalAddress: return "cudaErrorIllegalAddress";
    case cudaErrorStreamCaptureUnsupported: return "cudaErrorStreamCaptureUnsupported";
    case cudaErrorStreamCaptureInvalidated: return "cudaErrorStreamCaptureInvalidated";
    case cudaErrorStreamCaptureImplicit: return "cudaErrorStreamCaptureImplicit";
    default: return "cudaErrorUnknown";
  }
}
const char* cudaGetErrorString(cudaError_t error) { return cudaGetErrorName(error); }

cudaError_t cudaMalloc(void** p, size_t bytes) {
  FAIL_IF_WISHED;
  return allocate(p, bytes, true);
}
int cudaMallocHost(void** p, size_t bytes) { return allocate(p, bytes, false); }
int cudaHostAlloc(void** p, size_t bytes, unsigned) { return allocate(p, bytes, false); }
cudaError_t cudaFree(void* p) { return release(p); }
int cudaFreeHost(void* p) { return release(p); }
cudaError_t cudaMemGetInfo(size_t* free_bytes, size_t* total) {
  *free_bytes = memory().free_bytes();
  *total = Memory::TOTAL;
  return cudaSuccess;
}
struct PointerAttributes {
  int type, device;  // types: 0 unknown, 1 pinned host, 2 device, 3 managed
  void *device_pointer, *host_pointer;
};
int cudaPointerGetAttributes(PointerAttributes* out, const void* p) {
  static const bool managed = std::getenv("KFAC_FAKE_MANAGED");
  const int known = memory().type(p);
  const int type = known == 0 && managed ? 3 : known;
  *out = {type, type ? 0 : -1, nullptr, nullptr};
  return cudaSuccess;
}

// Bytes that were copied so far from the host to the device (kind 1) or back (2), for tests that count them.
static std::atomic<long long> copied[5];
long long kfac_fake_copied(int kind) { return copied[kind]; }

cudaError_t cudaMemcpy(void* to, const void* from, size_t bytes, cudaMemcpyKind kind) {
  REFUSE(unless_capturing());
  copied[kind] += bytes;
  return copy(nullptr, to, from, bytes);
}
cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind kind, cudaStream_t stream) {
  FAIL_IF_WISHED;
  copied[kind] += bytes;
  return copy(stream, to, from, bytes);
}
cudaError_t cudaMemset(void* to, int value, size_t bytes) {
  REFUSE(unless_capturing());
  return fill(nullptr, to, value, bytes);
}
cudaError_t cudaMemsetAsync(void* to, int value, size_t bytes, cudaStream_t stream) {
  return fill(stream, to, value, bytes);
}

}  // extern "C"
