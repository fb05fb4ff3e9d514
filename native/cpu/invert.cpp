#include "batch.h"
#include "sweep.h"
#include "tiny.h"

namespace kfac::KFAC_ISA {

int lanes(int n) { return n > TINY && n <= SMALL ? W : 1; }

size_t invert_floats(int n) {
  if (n <= TINY) return 0;
  size_t one = invert_one_floats(n), lanes = n <= SMALL ? batch_floats(n) : 0;
  return one > lanes ? one : lanes;
}

void invert(const InvertRequest& q, float* work) {
  if (q.n > TINY && q.n <= SMALL && 2 * q.count >= W) {
    for (int k = 0; k < q.count; k += W) invert_lanes(q, k, least(W, q.count - k), work);
    return;
  }
  for (int k = 0; k < q.count; k++) {
    q.status[k] = q.n <= TINY ? invert_tiny(q.source[k], q.n, q.scale[k], q.damping[k], q.inverse[k])
                              : invert_one(q.source[k], q.n, q.scale[k], q.damping[k], q.inverse[k], work);
  }
}

Plan* invert_plan(int n, const float* source, double scale, double damping, float* inverse) {
  return new Sweep(n, source, scale, damping, inverse);
}

}  // namespace kfac::KFAC_ISA
