// The C interface: checks, then a plan, then its launches. No exception leaves it.
#include <new>
#include "check.h"
#include "invert_table.h"
#include "plan.h"
#include "verbs.h"

namespace {

using kfac::Checker;
using kfac::Plan;

template <class Request>
int check_all(Checker& c, const Request* requests, int count, int math) {
  c.require(count >= 0, "count must not be negative", count);
  c.require(math == KFAC_SPLIT_F16 || math == KFAC_FFMA, "unknown math", math);
  c.require(requests || count <= 0, "requests must not be null", 0);
  for (int i = 0; i < count && c.ok(); ++i) {
    c.request(i);
    check(c, requests[i]);
  }
  return c.status();
}

template <class Make>
long long count_bytes(Checker& c, const Make& make) {
  try {
    Plan plan;
    make(plan);
    if (plan.too_large()) c.fail(KFAC_TOO_LARGE, "the requests need more blocks than one grid can hold", 0);
    return c.ok() ? plan.bytes() : c.status();
  } catch (const std::bad_alloc&) {
    return KFAC_OUT_OF_HOST_MEMORY;
  }
}

template <class Make>
int run(Checker& c, void* workspace, long long bytes, kfac_stream stream, const Make& make) {
  try {
    Plan plan(workspace);
    make(plan);
    if (plan.too_large()) c.fail(KFAC_TOO_LARGE, "the requests need more blocks than one grid can hold", 0);
    if (plan.bytes() > 0) c.pointer(workspace, int(kfac::ALIGNMENT), "workspace");
    if (bytes < plan.bytes()) c.fail(KFAC_WORKSPACE_TOO_SMALL, "the workspace needs more bytes", bytes);
    return c.ok() ? plan.run(reinterpret_cast<cudaStream_t>(stream)) : c.status();
  } catch (const std::bad_alloc&) {
    return KFAC_OUT_OF_HOST_MEMORY;
  }
}

}  // namespace

// The two functions of a verb; the second pair of macros is for verbs that form products.
#define KFAC_VERB(name, Request)                                                                              \
  long long kfac_##name##_workspace(const Request* requests, int count) {                                     \
    Checker c("kfac_" #name "_workspace");                                                                    \
    if (int status = check_all(c, requests, count, 0)) return status;                                         \
    return count_bytes(c, [&](Plan& plan) { kfac::name(requests, count, plan); });                            \
  }                                                                                                           \
  int kfac_##name(const Request* requests, int count, void* workspace, long long bytes, kfac_stream stream) { \
    Checker c("kfac_" #name);                                                                                 \
    if (int status = check_all(c, requests, count, 0)) return status;                                         \
    return run(c, workspace, bytes, stream, [&](Plan& plan) { kfac::name(requests, count, plan); });          \
  }
#define KFAC_PRODUCT_VERB(name, Request)                                                                   \
  long long kfac_##name##_workspace(const Request* requests, int count, int math) {                        \
    Checker c("kfac_" #name "_workspace");                                                                 \
    if (int status = check_all(c, requests, count, math)) return status;                                   \
    return count_bytes(c, [&](Plan& plan) { kfac::name(requests, count, math, plan); });                   \
  }                                                                                                        \
  int kfac_##name(const Request* requests, int count, int math, void* workspace, long long bytes,          \
                  kfac_stream stream) {                                                                    \
    Checker c("kfac_" #name);                                                                              \
    if (int status = check_all(c, requests, count, math)) return status;                                   \
    return run(c, workspace, bytes, stream, [&](Plan& plan) { kfac::name(requests, count, math, plan); }); \
  }

extern "C" {

KFAC_VERB(patches, kfac_patches_request)
KFAC_PRODUCT_VERB(accumulate, kfac_accumulate_request)
KFAC_PRODUCT_VERB(invert, kfac_invert_request)
KFAC_VERB(inverse_error, kfac_inverse_error_request)
KFAC_VERB(jacobi, kfac_jacobi_request)
KFAC_VERB(eigen_check, kfac_eigen_check_request)
KFAC_VERB(eigen_store, kfac_eigen_store_request)
KFAC_VERB(convert, kfac_convert_request)
KFAC_VERB(damp, kfac_damp_request)
KFAC_VERB(mirror, kfac_mirror_request)
KFAC_PRODUCT_VERB(precondition, kfac_precondition_request)
KFAC_VERB(divide, kfac_divide_request)
KFAC_VERB(squares, kfac_squares_request)
KFAC_VERB(upload, kfac_upload_request)
KFAC_VERB(scale, kfac_scale_request)
KFAC_VERB(traces, kfac_traces_request)
KFAC_VERB(squared_norms, kfac_squared_norms_request)
KFAC_VERB(first_non_finite, kfac_first_non_finite_request)
KFAC_VERB(largest, kfac_largest_request)

int kfac_inversion_by_size(int n, int count) { return kfac::row_for(n, count).algorithm; }
int kfac_cuda_abi(void) { return KFAC_CUDA_ABI; }
const char* kfac_cuda_build(void) { return KFAC_BUILD; }
int kfac_cuda_device_count(int* count) { return cudaGetDeviceCount(count); }
const char* kfac_error_detail(void) { return Checker::detail(); }

const char* kfac_error_string(int status) {
  switch (status) {
    case KFAC_OK: return "success";
    case KFAC_INVALID_ARGUMENT: return "invalid argument";
    case KFAC_MISALIGNED: return "misaligned pointer";
    case KFAC_WORKSPACE_TOO_SMALL: return "workspace too small";
    case KFAC_TOO_LARGE: return "size too large";
    case KFAC_OUT_OF_HOST_MEMORY: return "out of host memory";
    default: return status > 0 ? cudaGetErrorString(static_cast<cudaError_t>(status)) : "unknown status";
  }
}

}  // extern "C"
