// Stand-in for libcudart.so.13 on host memory, so that Java code written against the real presets runs without a GPU.
// JavaCPP binds lazily: only the functions that are really called must exist. Streams run at once; there is one
// device, named as what it is. Memory comes poisoned, as it may on a device.
//
// KFAC_FAKE_FAIL="FUNCTION CODE FIRST LAST": calls number FIRST to LAST of this function return this cudaError_t. One
// from 700 on is sticky: from then on every call returns it, as after an illegal address.
// KFAC_FAKE_MANAGED: memory that was not allocated here counts as managed, so that a trainer on the CPU serves as one
// on a GPU. KFAC_FAKE_STREAM_DEVICE=N: the device that streams say they belong to.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <map>
#include <mutex>
#include <unordered_map>

namespace {

enum {
  SUCCESS = 0,
  INVALID_VALUE = 1,
  MEMORY_ALLOCATION = 2,
  INVALID_DEVICE = 101,
  INVALID_RESOURCE_HANDLE = 400,
  ILLEGAL_ADDRESS = 700
};
constexpr size_t TOTAL_MEMORY = size_t(4) << 30;

thread_local int last_error = SUCCESS;
int result(int error) {
  if (error) last_error = error;
  return error;
}

std::mutex lock;

int injected(const char* function) {
  static const char* const wish = std::getenv("KFAC_FAKE_FAIL");
  static int calls = 0, sticky = SUCCESS;
  if (!wish) return SUCCESS;
  const std::lock_guard<std::mutex> guard(lock);
  if (sticky) return result(sticky);
  char name[64] = "";
  int code = 0, first = 0, last = 0;
  if (std::sscanf(wish, "%63s %d %d %d", name, &code, &first, &last) != 4 || std::strcmp(name, function))
    return SUCCESS;
  if (++calls < first || calls > last) return SUCCESS;
  if (code >= 700) sticky = code;
  return result(code);
}
// At the start of each function that may fail.
#define FAIL_IF_WISHED \
  if (const int wished = injected(__func__)) return wished

struct Allocation {
  size_t bytes;
  bool device;
};
size_t used = 0;
std::map<uintptr_t, Allocation>& allocations() {
  static std::map<uintptr_t, Allocation> all;
  return all;
}
uintptr_t key(const void* p) { return reinterpret_cast<uintptr_t>(p); }
std::unordered_map<void*, timespec>& events() {
  static std::unordered_map<void*, timespec> all;
  return all;
}

int allocate(void** p, size_t bytes, bool device) {
  const std::lock_guard<std::mutex> guard(lock);
  *p = nullptr;
  if (bytes == 0) return SUCCESS;
  if (bytes > TOTAL_MEMORY - used) return result(MEMORY_ALLOCATION);
  *p = std::aligned_alloc(256, (bytes + 255) / 256 * 256);
  if (!*p) return result(MEMORY_ALLOCATION);
  std::memset(*p, 0xff, bytes);
  allocations()[key(*p)] = {bytes, device};
  used += bytes;
  return SUCCESS;
}
int release(void* p) {
  const std::lock_guard<std::mutex> guard(lock);
  if (!p) return SUCCESS;
  const auto found = allocations().find(key(p));
  if (found == allocations().end()) return result(INVALID_VALUE);
  used -= found->second.bytes;
  allocations().erase(found);
  std::free(p);
  return SUCCESS;
}
int copy(void* to, const void* from, size_t bytes) {
  if (bytes && (!to || !from)) return result(INVALID_VALUE);
  if (bytes) std::memmove(to, from, bytes);
  return SUCCESS;
}
int fill(void* to, int value, size_t bytes) {
  if (bytes && !to) return result(INVALID_VALUE);
  if (bytes) std::memset(to, value, bytes);
  return SUCCESS;
}

}  // namespace

extern "C" {

int cudaRuntimeGetVersion(int* version) { return *version = 13000, SUCCESS; }
int cudaDriverGetVersion(int* version) { return *version = 13000, SUCCESS; }
int cudaGetDeviceCount(int* count) { return *count = 1, SUCCESS; }
int cudaGetDevice(int* device) { return *device = 0, SUCCESS; }
int cudaSetDevice(int device) {
  FAIL_IF_WISHED;
  return result(device == 0 ? SUCCESS : INVALID_DEVICE);
}
// 75, 76: compute capability; every other attribute is 0.
int cudaDeviceGetAttribute(int* value, int attribute, int device) {
  *value = attribute == 75 ? 9 : 0;
  return result(device == 0 ? SUCCESS : INVALID_DEVICE);
}
int cudaDeviceSynchronize() {
  FAIL_IF_WISHED;
  return SUCCESS;
}
int cudaGetLastError() {
  const int error = last_error;
  last_error = SUCCESS;
  return error;
}
int cudaPeekAtLastError() { return last_error; }
const char* cudaGetErrorName(int error) {
  switch (error) {
    case SUCCESS: return "cudaSuccess";
    case INVALID_VALUE: return "cudaErrorInvalidValue";
    case MEMORY_ALLOCATION: return "cudaErrorMemoryAllocation";
    case INVALID_DEVICE: return "cudaErrorInvalidDevice";
    case INVALID_RESOURCE_HANDLE: return "cudaErrorInvalidResourceHandle";
    case ILLEGAL_ADDRESS: return "cudaErrorIllegalAddress";
    default: return "cudaErrorUnknown";
  }
}
const char* cudaGetErrorString(int error) { return cudaGetErrorName(error); }

int cudaMalloc(void** p, size_t bytes) {
  FAIL_IF_WISHED;
  return allocate(p, bytes, true);
}
int cudaMallocAsync(void** p, size_t bytes, void*) { return allocate(p, bytes, true); }
int cudaMallocHost(void** p, size_t bytes) { return allocate(p, bytes, false); }
int cudaHostAlloc(void** p, size_t bytes, unsigned) { return allocate(p, bytes, false); }
int cudaFree(void* p) { return release(p); }
int cudaFreeAsync(void* p, void*) { return release(p); }
int cudaFreeHost(void* p) { return release(p); }
int cudaMemGetInfo(size_t* free_bytes, size_t* total) {
  const std::lock_guard<std::mutex> guard(lock);
  *free_bytes = TOTAL_MEMORY - used;
  *total = TOTAL_MEMORY;
  return SUCCESS;
}
struct PointerAttributes {
  int type, device;  // types: 0 unknown, 1 pinned host, 2 device, 3 managed
  void *device_pointer, *host_pointer;
};
int cudaPointerGetAttributes(PointerAttributes* out, const void* p) {
  const std::lock_guard<std::mutex> guard(lock);
  auto next = allocations().upper_bound(key(p));
  static const bool managed = std::getenv("KFAC_FAKE_MANAGED");
  *out = managed ? PointerAttributes{3, 0, nullptr, nullptr} : PointerAttributes{0, -1, nullptr, nullptr};
  if (next == allocations().begin()) return SUCCESS;
  const auto& [start, allocation] = *--next;
  if (key(p) < start + allocation.bytes) *out = {allocation.device ? 2 : 1, 0, nullptr, nullptr};
  return SUCCESS;
}
int cudaMemcpy(void* to, const void* from, size_t bytes, int) { return copy(to, from, bytes); }
int cudaMemcpyAsync(void* to, const void* from, size_t bytes, int, void*) {
  FAIL_IF_WISHED;
  return copy(to, from, bytes);
}
int cudaMemset(void* to, int value, size_t bytes) { return fill(to, value, bytes); }
int cudaMemsetAsync(void* to, int value, size_t bytes, void*) { return fill(to, value, bytes); }

int cudaStreamCreate(void** stream) { return *stream = std::malloc(1), SUCCESS; }
int cudaStreamCreateWithFlags(void** stream, unsigned) { return cudaStreamCreate(stream); }
int cudaStreamDestroy(void* stream) { return std::free(stream), SUCCESS; }
int cudaStreamSynchronize(void*) {
  FAIL_IF_WISHED;
  return SUCCESS;
}
int cudaStreamGetDevice(void*, int* device) {
  const char* other = std::getenv("KFAC_FAKE_STREAM_DEVICE");
  return *device = other ? std::atoi(other) : 0, SUCCESS;
}
int cudaStreamQuery(void*) { return SUCCESS; }
int cudaStreamWaitEvent(void*, void*, unsigned) { return SUCCESS; }

// Capturing runs the work at once; launching a graph does nothing more.
int cudaStreamBeginCapture(void*, int) { return SUCCESS; }
int cudaStreamEndCapture(void*, void** graph) { return *graph = nullptr, SUCCESS; }
int cudaGraphInstantiate(void** executable, void*, unsigned long long) { return *executable = nullptr, SUCCESS; }
int cudaGraphLaunch(void*, void*) { return SUCCESS; }

int cudaEventCreate(void** event) {
  *event = std::malloc(1);
  const std::lock_guard<std::mutex> guard(lock);
  events()[*event] = {};
  return SUCCESS;
}
int cudaEventCreateWithFlags(void** event, unsigned) { return cudaEventCreate(event); }
int cudaEventDestroy(void* event) {
  const std::lock_guard<std::mutex> guard(lock);
  if (!events().erase(event)) return result(INVALID_RESOURCE_HANDLE);
  std::free(event);
  return SUCCESS;
}
int cudaEventRecord(void* event, void*) {
  const std::lock_guard<std::mutex> guard(lock);
  const auto found = events().find(event);
  if (found == events().end()) return result(INVALID_RESOURCE_HANDLE);
  clock_gettime(CLOCK_MONOTONIC, &found->second);
  return SUCCESS;
}
int cudaEventSynchronize(void*) { return SUCCESS; }
int cudaEventQuery(void*) { return SUCCESS; }
int cudaEventElapsedTime(float* milliseconds, void* start, void* end) {
  const std::lock_guard<std::mutex> guard(lock);
  const auto a = events().find(start), b = events().find(end);
  if (a == events().end() || b == events().end()) return result(INVALID_RESOURCE_HANDLE);
  *milliseconds = float((b->second.tv_sec - a->second.tv_sec) * 1e3 + (b->second.tv_nsec - a->second.tv_nsec) * 1e-6);
  return SUCCESS;
}

}  // extern "C"
