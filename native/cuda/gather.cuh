// One element of the rows of a View.
#pragma once
#include "number.cuh"
#include "view.h"

namespace kfac {

template <class T>
__device__ __forceinline__ float gather(const View& view, const T* data, const Row& r, const Column& c) {
  if (view.inside(r, c)) return value(data[r.offset + c.offset]);
  return c.y == ONE && r.y != OUTSIDE ? 1.0f : 0.0f;
}

}  // namespace kfac
