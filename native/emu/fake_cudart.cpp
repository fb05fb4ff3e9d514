// Stand-in for libcudart.so.13 on host memory, so that Java code written against the real presets runs without a GPU.
// JavaCPP binds lazily: only the functions that are really called must exist. Streams run at once; there is one
// device, named as what it is. Memory comes poisoned, as it may on a device.
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <mutex>
#include <unordered_map>

namespace {

enum { SUCCESS = 0, INVALID_VALUE = 1, MEMORY_ALLOCATION = 2, INVALID_DEVICE = 101, INVALID_RESOURCE_HANDLE = 400 };
constexpr size_t TOTAL_MEMORY = size_t(4) << 30;

thread_local int last_error = SUCCESS;
int result(int error) {
  if (error) last_error = error;
  return error;
}

std::mutex lock;
size_t used = 0;
std::unordered_map<void*, size_t>& allocations() {
  static std::unordered_map<void*, size_t> all;
  return all;
}
std::unordered_map<void*, timespec>& events() {
  static std::unordered_map<void*, timespec> all;
  return all;
}

int allocate(void** p, size_t bytes) {
  const std::lock_guard<std::mutex> guard(lock);
  *p = nullptr;
  if (bytes == 0) return SUCCESS;
  if (bytes > TOTAL_MEMORY - used) return result(MEMORY_ALLOCATION);
  *p = std::aligned_alloc(256, (bytes + 255) / 256 * 256);
  if (!*p) return result(MEMORY_ALLOCATION);
  std::memset(*p, 0xff, bytes);
  allocations()[*p] = bytes;
  used += bytes;
  return SUCCESS;
}
int release(void* p) {
  const std::lock_guard<std::mutex> guard(lock);
  if (!p) return SUCCESS;
  const auto found = allocations().find(p);
  if (found == allocations().end()) return result(INVALID_VALUE);
  used -= found->second;
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
int cudaSetDevice(int device) { return result(device == 0 ? SUCCESS : INVALID_DEVICE); }
// 75, 76: compute capability; every other attribute is 0.
int cudaDeviceGetAttribute(int* value, int attribute, int device) {
  *value = attribute == 75 ? 9 : 0;
  return result(device == 0 ? SUCCESS : INVALID_DEVICE);
}
int cudaDeviceSynchronize() { return SUCCESS; }
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
    default: return "cudaErrorUnknown";
  }
}
const char* cudaGetErrorString(int error) { return cudaGetErrorName(error); }

int cudaMalloc(void** p, size_t bytes) { return allocate(p, bytes); }
int cudaMallocAsync(void** p, size_t bytes, void*) { return allocate(p, bytes); }
int cudaMallocHost(void** p, size_t bytes) { return allocate(p, bytes); }
int cudaHostAlloc(void** p, size_t bytes, unsigned) { return allocate(p, bytes); }
int cudaFree(void* p) { return release(p); }
int cudaFreeAsync(void* p, void*) { return release(p); }
int cudaFreeHost(void* p) { return release(p); }
int cudaMemGetInfo(size_t* free_bytes, size_t* total) {
  const std::lock_guard<std::mutex> guard(lock);
  *free_bytes = TOTAL_MEMORY - used;
  *total = TOTAL_MEMORY;
  return SUCCESS;
}
int cudaMemcpy(void* to, const void* from, size_t bytes, int) { return copy(to, from, bytes); }
int cudaMemcpyAsync(void* to, const void* from, size_t bytes, int, void*) { return copy(to, from, bytes); }
int cudaMemset(void* to, int value, size_t bytes) { return fill(to, value, bytes); }
int cudaMemsetAsync(void* to, int value, size_t bytes, void*) { return fill(to, value, bytes); }

int cudaStreamCreate(void** stream) { return *stream = std::malloc(1), SUCCESS; }
int cudaStreamCreateWithFlags(void** stream, unsigned) { return cudaStreamCreate(stream); }
int cudaStreamDestroy(void* stream) { return std::free(stream), SUCCESS; }
int cudaStreamSynchronize(void*) { return SUCCESS; }
int cudaStreamQuery(void*) { return SUCCESS; }
int cudaStreamWaitEvent(void*, void*, unsigned) { return SUCCESS; }

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
