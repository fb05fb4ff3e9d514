// Sums over samples that planes.cuh has put in order, on the main loop of products.
#pragma once
#include <vector>
#include "kfac_cuda.h"

namespace kfac {

class Plan;

// Whether a request can take this way: no more memory than its samples have, or a bounded amount.
bool has_planes(const kfac_accumulate_request& request);
void accumulate_planes(const std::vector<kfac_accumulate_request>& requests, Plan& plan);

}  // namespace kfac
