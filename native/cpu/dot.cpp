#include "vector.h"

namespace kfac::KFAC_ISA {

double dot(int64_t n, const float* x, const float* y) {
  vd sums[4] = {};
  int64_t i = 0;
  for (; i + 2 * W <= n; i += 2 * W) {
    for (int k = 0; k < 4; k++) sums[k] += widen(x + i + k * W / 2) * widen(y + i + k * W / 2);
  }
  vd total = (sums[0] + sums[1]) + (sums[2] + sums[3]);
  double sum = 0;
  for (int l = 0; l < W / 2; l++) sum += total[l];
  for (; i < n; i++) sum += (double)x[i] * y[i];
  return sum;
}

}  // namespace kfac::KFAC_ISA
