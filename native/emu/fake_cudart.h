// What the parts of the stand-in for libcudart share.
#pragma once
#include "cuda_runtime_api.h"

namespace fake {

// Keeps an error for cudaGetLastError and returns it.
cudaError_t result(cudaError_t error);
// The error that KFAC_FAKE_FAIL wants of this call.
cudaError_t wished(const char* function);
// At the start of each function that may fail.
#define FAIL_IF_WISHED \
  if (const cudaError_t error = fake::wished(__func__)) return error

// Refuses what may synchronise or allocate while a capture forbids it, which then is lost.
cudaError_t unless_capturing();
// The same for what waits for, or runs on, the legacy stream: no blocking stream may capture then.
cudaError_t unless_implicit();
#define REFUSE(question) \
  if (const cudaError_t error = question) return fake::result(error)

}  // namespace fake
