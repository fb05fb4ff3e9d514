// Element-wise work on many arrays in one launch.
#pragma once
#include "plan.h"

namespace kfac {

constexpr int ELEMENT_THREADS = 256, ELEMENTS = 4 * ELEMENT_THREADS;  // of a block

constexpr long long element_blocks(long long size) { return (size + ELEMENTS - 1) / ELEMENTS; }

// Calls visit(i) for the elements of block number local of an array of the given size.
template <class Visit>
__device__ void each_element(long long local, long long size, const Visit& visit) {
  for (int t = threadIdx.x; t < ELEMENTS; t += ELEMENT_THREADS)
    if (local * ELEMENTS + t < size) visit(local * ELEMENTS + t);
}

// A launch of one block after another for every request; blocks_of gives their number.
template <class Request, class BlocksOf>
void launch_requests(void (*kernel)(Table<Request>), const Request* requests, int count, dim3 shape, size_t shared,
                     Plan& plan, const BlocksOf& blocks_of) {
  Batch<Request> batch;
  for (int i = 0; i < count; ++i) batch.add(requests[i], blocks_of(requests[i]));
  plan.launch(kernel, batch, shape, shared);
}

}  // namespace kfac
