// The same plan for every group of a convolution.
#pragma once
#include "verbs.h"

namespace kfac::KFAC_ISA {

/// Groups side by side, as many as memory allows, then the next.
struct GroupsPlan : Plan {
  static constexpr size_t SIDE_BY_SIDE = (size_t)1 << 21;  // floats: what one phase leaves the next finds in a cache

  Plan** plans;
  int count, together;

  /// Takes over plans of equal sizes, and the array.
  GroupsPlan(Plan** plans, int count) : plans(plans), count(count) {
    size_t fit = SIDE_BY_SIDE / (one().shared_floats() + 1);
    together = fit < 1 ? 1 : fit > (size_t)count ? count : (int)fit;
  }
  ~GroupsPlan() override {
    for (int k = 0; k < count; k++) delete plans[k];
    delete[] plans;
  }

  const Plan& one() const { return *plans[0]; }
  int first(int phase) const { return phase / one().phases() * together; }
  int side_by_side(int phase) const { return first(phase) + together < count ? together : count - first(phase); }

  int phases() const override { return (count + together - 1) / together * one().phases(); }
  int tasks(int phase) const override { return side_by_side(phase) * one().tasks(phase % one().phases()); }
  size_t shared_floats() const override { return together * stride(); }
  size_t scratch_floats() const override { return one().scratch_floats(); }
  size_t stride() const { return (one().shared_floats() + 15) / 16 * 16; }

  void run(int phase, int task, float* shared, float* scratch) const override {
    int n = side_by_side(phase), k = task % n;
    plans[first(phase) + k]->run(phase % one().phases(), task / n, shared + k * stride(), scratch);
  }
};

}  // namespace kfac::KFAC_ISA
