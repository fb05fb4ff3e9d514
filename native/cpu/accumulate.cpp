// The choice between the ways to a second moment of patches.
#include "cost.h"
#include "groups.h"

namespace kfac::KFAC_ISA {

static Plan* plan_one(const AccumulateRequest& request, int method) {
  if (method == KFAC_CPU_SHIFT) return new ShiftPlan(request);
  if (method == KFAC_CPU_SPECTRAL) return new SpectralPlan(request);
  return new WidePlan(request);
}

Plan* accumulate_plan(const AccumulateRequest& request, int method) {
  const kfac_cpu_patch_samples& c = request.conv;
  int groups = (int)c.groups, dim = (int)(c.channels * c.kernel_height * c.kernel_width + c.bias);
  if (method == KFAC_CPU_CHEAPEST) method = Cost{c, Geometry(c)}.cheapest();
  if (method == KFAC_CPU_FUSED && dim <= NarrowPlan::WIDEST) return new NarrowPlan(request);
  if (method == KFAC_CPU_LANES) return new LanesPlan(request);
  if (groups == 1) return plan_one(request, method);
  Plan** plans = new Plan*[groups];
  for (int k = 0; k < groups; k++) {
    AccumulateRequest one = request;
    one.conv.groups = 1;
    one.images += k * c.channels * c.channel_stride;
    one.target += (ptrdiff_t)k * dim * dim;
    plans[k] = plan_one(one, method);
  }
  return new GroupsPlan(plans, groups);
}

}  // namespace kfac::KFAC_ISA
