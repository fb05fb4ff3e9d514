// Streams, events, captures and graphs of the stand-in for libcudart. A stream runs its work at once; while it
// captures, work is recorded, and run by each launch of the graph. What a real capture refuses is refused here with the
// same code and ends it: what synchronises, allocates or waits for the legacy stream.
//
// KFAC_FAKE_STREAM_DEVICE=N: the device that streams say they belong to.
#include <cstdlib>
#include <ctime>
#include <memory>
#include <mutex>
#include <set>
#include <thread>
#include <vector>
#include "fake_cudart.h"

namespace {

using Work = std::vector<std::function<void()>>;
struct Capture {
  cudaStream_t origin;
  cudaStreamCaptureMode mode;
  std::thread::id thread;
  bool blocking;  // the legacy stream would wait for it
  bool lost = false;
  Work work;
};

}  // namespace

struct CUstream_st {
  bool blocking;
  std::shared_ptr<Capture> capture;
};
struct CUevent_st {
  timespec time{};
  std::weak_ptr<Capture> capture;
};
struct CUgraph_st {
  Work work;
};
struct CUgraphExec_st {
  Work work;
};

namespace {

std::recursive_mutex lock;
using Guard = std::lock_guard<std::recursive_mutex>;
std::set<cudaStream_t>& streams() {
  static std::set<cudaStream_t> all;
  return all;
}
std::set<cudaEvent_t>& events() {
  static std::set<cudaEvent_t> all;
  return all;
}
std::set<std::shared_ptr<Capture>>& captures() {
  static std::set<std::shared_ptr<Capture>> all;
  return all;
}
cudaStream_t legacy(cudaStream_t stream) {  // or null
  const auto handle = reinterpret_cast<size_t>(stream);
  return handle <= 2 ? nullptr
                     : stream;  // 1: cudaStreamLegacy, 2: of the thread, which this stand-in does not tell apart
}
bool known(cudaStream_t stream) { return !legacy(stream) || streams().count(stream); }
std::shared_ptr<Capture> capture_of(cudaStream_t stream) { return legacy(stream) ? stream->capture : nullptr; }

// Loses the captures that this is true for.
template <class Forbids>
bool lose(const Forbids& forbids) {
  bool any = false;
  for (const auto& capture : captures())
    if (forbids(*capture)) any = capture->lost = true;
  return any;
}

}  // namespace

cudaError_t fake::unless_capturing() {
  const Guard guard(lock);
  const bool lost = lose([](const Capture& c) {
    return c.mode == cudaStreamCaptureModeGlobal ||
           (c.mode == cudaStreamCaptureModeThreadLocal && c.thread == std::this_thread::get_id());
  });
  return lost ? cudaErrorStreamCaptureUnsupported : cudaSuccess;
}
cudaError_t fake::unless_implicit() {
  const Guard guard(lock);
  return lose([](const Capture& c) { return c.blocking; }) ? cudaErrorStreamCaptureImplicit : cudaSuccess;
}

__attribute__((visibility("default"))) cudaError_t emulatedLaunch(cudaStream_t stream, std::function<void()> work) {
  {
    const Guard guard(lock);
    if (!known(stream)) return fake::result(cudaErrorInvalidResourceHandle);
    if (!legacy(stream)) REFUSE(fake::unless_implicit());
    if (const auto capture = capture_of(stream)) {
      if (capture->lost) return fake::result(cudaErrorStreamCaptureInvalidated);
      capture->work.push_back(std::move(work));
      return cudaSuccess;
    }
  }
  work();
  return cudaSuccess;
}

using fake::result;

extern "C" {

cudaError_t cudaDeviceSynchronize() {
  FAIL_IF_WISHED;
  const Guard guard(lock);
  return result(lose([](const Capture&) { return true; }) ? cudaErrorStreamCaptureUnsupported : cudaSuccess);
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned flags) {
  const Guard guard(lock);
  *stream = new CUstream_st{!(flags & cudaStreamNonBlocking), nullptr};
  streams().insert(*stream);
  return cudaSuccess;
}
cudaError_t cudaStreamCreate(cudaStream_t* stream) { return cudaStreamCreateWithFlags(stream, 0); }
cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  const Guard guard(lock);
  if (!streams().erase(stream)) return result(cudaErrorInvalidResourceHandle);
  if (stream->capture) {
    stream->capture->lost = true;
    captures().erase(stream->capture);
  }
  delete stream;
  return cudaSuccess;
}
cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  FAIL_IF_WISHED;
  const Guard guard(lock);
  if (!known(stream)) return result(cudaErrorInvalidResourceHandle);
  if (!legacy(stream)) REFUSE(fake::unless_implicit());
  const auto capture = capture_of(stream);
  if (capture) capture->lost = true;
  return result(capture ? cudaErrorStreamCaptureUnsupported : cudaSuccess);
}
cudaError_t cudaStreamQuery(cudaStream_t stream) {
  const Guard guard(lock);
  if (!known(stream)) return result(cudaErrorInvalidResourceHandle);
  const auto capture = capture_of(stream);
  if (capture) capture->lost = true;
  return result(capture ? cudaErrorStreamCaptureUnsupported : cudaSuccess);
}
int cudaStreamIsCapturing(cudaStream_t stream, int* status) {  // 0 no, 1 yes, 2 it was lost
  const Guard guard(lock);
  const auto capture = capture_of(stream);
  return *status = capture ? 1 + capture->lost : 0, cudaSuccess;
}
int cudaStreamGetDevice(cudaStream_t, int* device) {
  const char* other = std::getenv("KFAC_FAKE_STREAM_DEVICE");
  return *device = other ? std::atoi(other) : 0, cudaSuccess;
}
// Waiting for an event of a capture makes the stream part of it.
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
  const Guard guard(lock);
  if (!known(stream) || !events().count(event)) return result(cudaErrorInvalidResourceHandle);
  if (const auto capture = event->capture.lock(); capture && captures().count(capture)) {
    if (!legacy(stream)) {
      capture->lost = true;
      return result(cudaErrorStreamCaptureImplicit);
    }
    stream->capture = capture;
  }
  return cudaSuccess;
}

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode mode) {
  const Guard guard(lock);
  if (!legacy(stream)) return result(cudaErrorStreamCaptureUnsupported);
  if (!known(stream)) return result(cudaErrorInvalidResourceHandle);
  if (stream->capture) return result(cudaErrorInvalidValue);
  stream->capture.reset(new Capture{stream, mode, std::this_thread::get_id(), stream->blocking, false, {}});
  captures().insert(stream->capture);
  return cudaSuccess;
}
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  const Guard guard(lock);
  *graph = nullptr;
  if (!known(stream)) return result(cudaErrorInvalidResourceHandle);
  const auto capture = capture_of(stream);
  if (!capture) return result(cudaErrorInvalidValue);
  if (capture->origin != stream) return result(cudaErrorStreamCaptureUnmatched);
  if (capture->mode != cudaStreamCaptureModeRelaxed && capture->thread != std::this_thread::get_id())
    return result(cudaErrorStreamCaptureWrongThread);
  for (cudaStream_t other : streams())
    if (other->capture == capture) other->capture = nullptr;
  captures().erase(capture);
  if (capture->lost) return result(cudaErrorStreamCaptureInvalidated);
  *graph = new CUgraph_st{std::move(capture->work)};
  return cudaSuccess;
}
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* executable, cudaGraph_t graph, unsigned long long) {
  *executable = nullptr;
  if (!graph) return result(cudaErrorInvalidValue);
  *executable = new CUgraphExec_st{graph->work};
  return cudaSuccess;
}
cudaError_t cudaGraphLaunch(cudaGraphExec_t executable, cudaStream_t stream) {
  if (!executable) return result(cudaErrorInvalidValue);
  for (const auto& one : executable->work)
    if (const cudaError_t error = emulatedLaunch(stream, one)) return error;
  return cudaSuccess;
}
cudaError_t cudaGraphDestroy(cudaGraph_t graph) { return delete graph, cudaSuccess; }
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t executable) { return delete executable, cudaSuccess; }

cudaError_t cudaEventCreate(cudaEvent_t* event) {
  const Guard guard(lock);
  *event = new CUevent_st;
  events().insert(*event);
  return cudaSuccess;
}
int cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) { return cudaEventCreate(event); }
cudaError_t cudaEventDestroy(cudaEvent_t event) {
  const Guard guard(lock);
  if (!events().erase(event)) return result(cudaErrorInvalidResourceHandle);
  return delete event, cudaSuccess;
}
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  const Guard guard(lock);
  if (!events().count(event) || !known(stream)) return result(cudaErrorInvalidResourceHandle);
  if (!legacy(stream)) REFUSE(fake::unless_implicit());
  event->capture = capture_of(stream);
  clock_gettime(CLOCK_MONOTONIC, &event->time);
  return cudaSuccess;
}
// An event of a capture never comes to pass.
static cudaError_t passed(cudaEvent_t event) {
  const Guard guard(lock);
  if (!events().count(event)) return cudaErrorInvalidResourceHandle;
  const auto capture = event->capture.lock();
  if (!capture || !captures().count(capture)) return cudaSuccess;
  capture->lost = true;
  return cudaErrorCapturedEvent;
}
cudaError_t cudaEventSynchronize(cudaEvent_t event) { return result(passed(event)); }
int cudaEventQuery(cudaEvent_t event) { return result(passed(event)); }
cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t start, cudaEvent_t end) {
  REFUSE(passed(start));
  REFUSE(passed(end));
  const timespec a = start->time, b = end->time;
  *milliseconds = float((b.tv_sec - a.tv_sec) * 1e3 + (b.tv_nsec - a.tv_nsec) * 1e-6);
  return cudaSuccess;
}

}  // extern "C"
