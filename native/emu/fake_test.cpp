// The stand-ins do what the libraries they stand for do.
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <vector>
#include "block.h"
#include "cuda_runtime_api.h"

extern "C" {
int cudaPointerGetAttributes(void*, const void*);
int cublasSgeam(void*, int, int, int, int, const float*, const float*, int, const float*, const float*, int, float*,
                int);
int cublasSgemm_v2(void*, int, int, int, int, int, const float*, const float*, int, const float*, int, const float*,
                   float*, int);
int cublasDsyrk_v2(void*, int, int, int, int, const double*, const double*, int, const double*, double*, int);
int cusolverDnDpotrf(void*, int, int, double*, int, double*, int, int*);
int cusolverDnDpotri(void*, int, int, double*, int, double*, int, int*);
int cusolverDnDsyevd(void*, int, int, int, double*, int, double*, double*, int, int*);
}

static int failures = 0;
static void check(bool good, const char* what) {
  if (!good) std::printf("FAIL %s\n", what), ++failures;
}

// What a capture refuses, and that it is lost then.
static void captures() {
  void* p = nullptr;
  int on_host = 0;
  cudaMalloc(&p, 4);
  cudaStream_t stream, other;
  cudaEvent_t event;
  cudaStreamCreate(&stream);
  cudaStreamCreateWithFlags(&other, cudaStreamNonBlocking);
  cudaEventCreate(&event);
  using Call = std::function<int()>;
  void* q = nullptr;
  const struct {
    const char* what;
    int code;
    Call call;
  } refused[] = {
      {"cudaDeviceSynchronize", 900, [] { return cudaDeviceSynchronize(); }},
      {"cudaStreamSynchronize", 900, [&] { return cudaStreamSynchronize(stream); }},
      {"cudaStreamQuery", 900, [&] { return cudaStreamQuery(stream); }},
      {"cudaMalloc", 900, [&] { return cudaMalloc(&q, 16); }},
      {"cudaFree", 900, [&] { return cudaFree(p); }},
      {"cudaMemcpy", 900, [&] { return cudaMemcpy(&on_host, p, 4, cudaMemcpyDeviceToHost); }},
      {"cudaMemset", 900, [&] { return cudaMemset(p, 0, 4); }},
      {"a copy in the legacy stream", 906, [&] { return cudaMemsetAsync(p, 0, 4, nullptr); }},
      {"a kernel in the legacy stream", 906, [] { return emulatedLaunch(nullptr, [] {}); }},
      {"an event of the legacy stream", 906, [&] { return cudaEventRecord(event, nullptr); }},
      {"an event of the capture", 907,
       [&] { return cudaEventRecord(event, stream) ? 0 : cudaEventSynchronize(event); }},
  };
  cudaGraph_t graph;
  for (const auto& r : refused) {
    cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal);
    check(r.call() == r.code && cudaGetLastError() == r.code, r.what);
    check(cudaStreamEndCapture(stream, &graph) == 901 && !graph && cudaGetLastError() == 901, r.what);
    check(cudaEventRecord(event, nullptr) == 0, "the next one may");
  }

  // Work is recorded, then done by each launch; a stream that waits for it belongs to it.
  cudaMemset(p, 0, 4);
  int times = 0;
  check(cudaStreamBeginCapture(stream, cudaStreamCaptureModeGlobal) == 0, "begin");
  check(emulatedLaunch(stream, [&] { ++times; }) == 0 && times == 0, "a kernel is recorded");
  check(cudaEventRecord(event, stream) == 0 && cudaStreamWaitEvent(other, event, 0) == 0, "fork");
  check(cudaMemsetAsync(p, 1, 4, other) == 0, "a copy is recorded");
  check(cudaStreamEndCapture(other, &graph) == 903 && cudaStreamEndCapture(stream, &graph) == 0 && graph, "end");
  cudaGraphExec_t executable;
  check(cudaGraphInstantiate(&executable, graph, 0) == 0 && cudaGraphDestroy(graph) == 0, "instantiate");
  for (int i = 1; i <= 2; ++i) check(cudaGraphLaunch(executable, stream) == 0 && times == i, "launch");
  check(cudaMemcpy(&on_host, p, 4, cudaMemcpyDeviceToHost) == 0 && on_host == 0x01010101, "the copy in it");
  cudaGraphExecDestroy(executable);

  check(cudaStreamBeginCapture(other, cudaStreamCaptureModeRelaxed) == 0 && cudaMalloc(&q, 16) == 0 &&
            cudaMemset(q, 0, 16) == 0 && cudaStreamEndCapture(other, &graph) == 0,
        "relaxed, and not blocking");
  cudaGraphDestroy(graph);
  cudaStreamDestroy(stream);
  check(emulatedLaunch(stream, [] {}) == 400 && cudaStreamDestroy(stream) == 400, "a stream that is gone");
  cudaFree(p);
  check(cudaMemcpy(&on_host, p, 4, cudaMemcpyDeviceToHost) == 1, "memory that was freed");
  check(cudaMemcpy(q, &on_host, 4, cudaMemcpyHostToDevice) == 0 && cudaMemset(q, 0, 17) == 1, "more than there is");
  check(emu::launchable(dim3(1), dim3(32), 99 * 1024) && !emu::launchable(dim3(1), dim3(32), 99 * 1024 + 1),
        "more shared memory than each chip has");
}

int main() {
  captures();
  cudaGetLastError();
  void *p = nullptr, *q = nullptr;
  size_t before, after, total;
  cudaMemGetInfo(&before, &total);
  check(cudaMalloc(&p, 1000) == 0 && p, "cudaMalloc");
  check(static_cast<unsigned char*>(p)[999] == 0xff, "memory is poisoned");
  cudaMemGetInfo(&after, &total);
  check(before - after == 1000, "cudaMemGetInfo");
  check(cudaMalloc(&q, total) == 2 && cudaGetLastError() == 2 && cudaGetLastError() == 0, "out of memory");
  struct {
    int type, device;
    void *device_pointer, *host_pointer;
    long reserved[8];
  } attributes;
  check(cudaPointerGetAttributes(&attributes, static_cast<char*>(p) + 999) == 0 && attributes.type == 2,
        "device memory");
  check(cudaPointerGetAttributes(&attributes, &before) == 0 && attributes.type == 0, "other memory");
  check(cudaFree(p) == 0 && cudaFree(p) == 1, "a second cudaFree is refused");
  check(cudaSetDevice(1) == 101, "cudaSetDevice");

  // column-major [[1, 3], [2, 4]] times its transpose
  const std::vector<float> a{1, 2, 3, 4};
  std::vector<float> c(4, NAN);
  const float one = 1, none = 0;
  cublasSgemm_v2(nullptr, 0, 1, 2, 2, 2, &one, a.data(), 2, a.data(), 2, &none, c.data(), 2);
  check(c == std::vector<float>({10, 14, 14, 20}), "cublasSgemm");
  std::vector<float> wide(4, -1);
  cublasSgeam(nullptr, 0, 0, 1, 2, &one, a.data(), 2, &none, a.data(), 2, wide.data(), 2);
  check(wide == std::vector<float>({1, -1, 3, -1}), "cublasSgeam");
  const std::vector<double> b{1, 2, 3, 4};
  std::vector<double> s(4, -1);
  const double unit = 1, zero = 0;
  cublasDsyrk_v2(nullptr, 0, 0, 2, 2, &unit, b.data(), 2, &zero, s.data(), 2);
  check(s == std::vector<double>({10, 14, -1, 20}), "cublasDsyrk");

  for (int uplo : {0, 1}) {
    std::vector<double> m{4, 2, 2, 3}, w(2), work(1);
    int info = -1;
    cusolverDnDpotrf(nullptr, uplo, 2, m.data(), 2, work.data(), 1, &info);
    cusolverDnDpotri(nullptr, uplo, 2, m.data(), 2, work.data(), 1, &info);
    const double corner = m[uplo ? 2 : 1];
    check(info == 0 && std::fabs(m[0] - 0.375) < 1e-15 && std::fabs(corner + 0.25) < 1e-15 &&
              std::fabs(m[3] - 0.5) < 1e-15,
          "cusolver potrf, potri");
    std::vector<double> bad{1, 2, 2, 1};
    cusolverDnDpotrf(nullptr, uplo, 2, bad.data(), 2, work.data(), 1, &info);
    check(info == 2, "cusolver potrf names the pivot");
    std::vector<double> e{2, 1, 1, 2};
    cusolverDnDsyevd(nullptr, 1, uplo, 2, e.data(), 2, w.data(), work.data(), 1, &info);
    check(std::fabs(w[0] - 1) < 1e-14 && std::fabs(w[1] - 3) < 1e-14 && std::fabs(e[0] + e[1]) < 1e-14,
          "cusolver syevd");
  }
  std::printf("%d failed\n", failures);
  return failures != 0;
}
