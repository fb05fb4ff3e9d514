// Parameters of other verbs, which travel as the tables of jobs do.
#include "plan.h"
#include "verbs.h"

namespace kfac {

void upload(const kfac_upload_request* requests, int count, Plan& plan) {
  for (int i = 0; i < count; ++i) plan.upload(requests[i].to, requests[i].values, size_t(requests[i].bytes));
}

}  // namespace kfac
