#include "elements.cuh"
#include "verbs.h"

namespace kfac {
namespace {

template <class From, class To>
__global__ void __launch_bounds__(ELEMENT_THREADS) convert_kernel(Table<kfac_convert_request> table) {
  long long local;
  const kfac_convert_request q = table.find(blockIdx.x, local);
  each_element(local, q.rows * q.columns, [&](long long i) {
    const long long row = i / q.columns, column = i % q.columns;
    static_cast<To*>(q.to)[row * q.to_pitch + column] =
        To(static_cast<const From*>(q.from)[row * q.from_pitch + column]);
  });
}

}  // namespace

void convert(const kfac_convert_request* requests, int count, Plan& plan) {
  auto add = [&](void (*kernel)(Table<kfac_convert_request>), int from, int to) {
    launch_requests(kernel, requests, count, ELEMENT_THREADS, 0, plan, [=](const auto& q) {
      return q.from_dtype == from && q.to_dtype == to ? element_blocks(q.rows * q.columns) : 0LL;
    });
  };
  add(convert_kernel<float, float>, KFAC_F32, KFAC_F32);
  add(convert_kernel<float, double>, KFAC_F32, KFAC_F64);
  add(convert_kernel<double, float>, KFAC_F64, KFAC_F32);
  add(convert_kernel<double, double>, KFAC_F64, KFAC_F64);
}

}  // namespace kfac
