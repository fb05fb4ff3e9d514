// The verbs of libkfac_cuda in their emulation, for libFuzzer with the sanitizers: requests of any kind, in memory of
// the exact size. What is taken ends, in finite numbers where they can be; what is not is refused with a status.
#include <cstring>
#include "fuzz_input.h"
#include "kfac_cuda.h"

using fuzz::Bytes;
using fuzz::require;

namespace {

std::vector<std::unique_ptr<float, fuzz::Free>> kept;

template <class T>
T* room(int64_t elements) {
  kept.push_back(fuzz::memory((elements * (int64_t)sizeof(T) + 3) / 4));
  return (T*)kept.back().get();
}
template <class T>
T* values(Bytes& in, int64_t elements) {
  T* x = room<T>(elements);
  for (int64_t i = 0; i < elements; i++) x[i] = (T)in.real();
  return x;
}
float* definite(Bytes& in, int n, int count) {
  float* x = values<float>(in, (int64_t)n * n * count);
  for (int64_t k = 0; k < count; k++)
    for (int i = 0; i < n; i++)
      for (int j = 0; j <= i; j++) {
        float& low = x[(k * n + i) * n + j];
        low = i == j ? 2 : low / (float)n;
        x[(k * n + j) * n + i] = low;
      }
  return x;
}
template <class T>
void odd(Bytes& in, T& field) {  // now and then what no caller should pass
  static const long long wrong[] = {0, -1, 3, 2147483647, -2147483647 - 1, 65536};
  if (!in.number(0, 39)) field = (T)wrong[in.number(0, 5)];
}
template <class T>
void odd(Bytes& in, T*& pointer) {
  if (!in.number(0, 39)) pointer = nullptr;
}
int extent(Bytes& in) {
  static const int far[] = {16, 31, 32, 33, 63, 64, 65, 96, 127, 128, 129, 140};
  return (int)(in.number(0, 7) ? in.number(1, 12) : far[in.number(0, 11)]);
}

// The sizes that memory was made for stand in the request; beyond them only a refusal will do.
template <class Request, class Query, class Verb>
bool run(Bytes& in, const Request& good, const Request& asked, Query query, Verb verb) {
  bool same = !std::memcmp(&good, &asked, sizeof good);
  long long bytes = query(&asked, 1);
  if (bytes < 0) {
    require(!same, kfac_error_detail(), (double)bytes);
    require(kfac_error_detail()[0] != 0, "a refusal without a reason");
    return false;
  }
  if (!same) return false;  // a request of another size may be good, but has no memory
  char* workspace = (char*)std::aligned_alloc(256, (bytes + 255) / 256 * 256 + 256);
  long long given = in.number(0, 19) ? bytes : bytes / 2;
  int status = verb(&asked, 1, workspace, given);
  std::free(workspace);
  require(status == 0 || given < bytes, kfac_error_detail(), status);
  return status == 0;
}

void invert(Bytes& in) {
  kfac_invert_request q = {};
  q.n = extent(in), q.count = (int)in.number(1, q.n > 32 ? 2 : 6), q.scale = 1, q.damping = 0.5f;
  q.matrix = definite(in, q.n, q.count), q.inverse = room<float>((int64_t)q.n * q.n * q.count);
  q.status = room<int>(q.count);
  if (in.number(0, 1)) q.dampings = values<float>(in, q.count);
  if (q.dampings)
    for (int k = 0; k < q.count; k++) const_cast<float*>(q.dampings)[k] += 1.5f;
  kfac_invert_request asked = q;
  odd(in, asked.n), odd(in, asked.count), odd(in, asked.matrix), odd(in, asked.inverse), odd(in, asked.status);
  odd(in, asked.algorithm);
  int math = (int)in.number(0, 1);
  bool done = run(
      in, q, asked, [&](auto r, int c) { return kfac_invert_workspace(r, c, math); },
      [&](auto r, int c, void* w, long long b) { return kfac_invert(r, c, math, w, b, nullptr); });
  for (int k = 0; done && k < q.count; k++) require(q.status[k] == 0, "an inverse failed", q.status[k]);
  for (int64_t i = 0; done && i < (int64_t)q.n * q.n * q.count; i++)
    require(std::isfinite(q.inverse[i]), "an inverse holds", q.inverse[i]);
}

void precondition(Bytes& in) {
  kfac_precondition_request q = {};
  q.groups = (int)in.number(1, 3), q.scale = 1;
  int rows = extent(in), cols = extent(in), bias = (int)in.number(0, 1);
  q.out = q.groups * rows, q.in = cols;
  q.g_inverse = values<float>(in, (int64_t)q.groups * rows * rows);
  q.a_inverse = values<float>(in, (int64_t)q.groups * (cols + bias) * (cols + bias));
  q.weight_gradient = values<float>(in, (int64_t)q.out * cols);
  q.weight_result = in.number(0, 1) ? const_cast<float*>(q.weight_gradient) : room<float>((int64_t)q.out * cols);
  if (bias) q.bias_gradient = values<float>(in, q.out), q.bias_result = room<float>(q.out);
  q.inner = room<double>(1);
  kfac_precondition_request asked = q;
  odd(in, asked.groups), odd(in, asked.out), odd(in, asked.in), odd(in, asked.g_inverse), odd(in, asked.inner);
  odd(in, asked.weight_result), odd(in, asked.bias_result);
  int math = (int)in.number(0, 1);
  bool done = run(
      in, q, asked, [&](auto r, int c) { return kfac_precondition_workspace(r, c, math); },
      [&](auto r, int c, void* w, long long b) { return kfac_precondition(r, c, math, w, b, nullptr); });
  for (int64_t i = 0; done && i < (int64_t)q.out * cols; i++)
    require(std::isfinite(q.weight_result[i]), "a result holds", q.weight_result[i]);
  if (done) require(std::isfinite(*q.inner), "an inner product is", *q.inner);
}

void accumulate(Bytes& in) {
  kfac_accumulate_request q = {};
  kfac_samples& s = q.samples;
  s.groups = (int)in.number(1, 2), s.batch = in.number(1, 3), s.channels = s.groups * in.number(1, 9);
  s.height = in.number(1, 7), s.width = in.number(1, 7), s.bias = (int)in.number(0, 1);
  s.kernel_height = (int)in.number(1, 3), s.kernel_width = (int)in.number(1, 3);
  s.stride_height = (int)in.number(1, 3), s.stride_width = (int)in.number(1, 3);
  s.padding_height = (int)in.number(0, 2), s.padding_width = (int)in.number(0, 2);
  s.dilation_height = (int)in.number(1, 2), s.dilation_width = (int)in.number(1, 2);
  bool last = in.number(0, 1), half = !in.number(0, 3);
  int64_t area = s.height * s.width, size = s.batch * s.channels * area;
  s.batch_stride = s.channels * area, s.channel_stride = last ? 1 : area;
  s.x_stride = last ? s.channels : 1, s.y_stride = s.x_stride * s.width;
  s.dtype = half ? KFAC_BF16 : KFAC_F32;
  s.data = half ? (void*)room<uint16_t>(size) : (void*)values<float>(in, size);
  for (int64_t i = 0; half && i < size; i++) ((uint16_t*)s.data)[i] = (uint16_t)(0x3f00 + in.number(0, 255));
  int64_t n = s.channels / s.groups * s.kernel_height * s.kernel_width + s.bias;
  q.target = room<float>(s.groups * n * n), q.weight = 0.5f;
  kfac_accumulate_request asked = q;
  odd(in, asked.samples.groups), odd(in, asked.samples.batch), odd(in, asked.samples.channels);
  odd(in, asked.samples.height), odd(in, asked.samples.kernel_width), odd(in, asked.samples.stride_height);
  odd(in, asked.samples.padding_width), odd(in, asked.samples.dilation_height), odd(in, asked.samples.dtype);
  odd(in, asked.samples.bias), odd(in, asked.samples.data), odd(in, asked.target);
  bool fits = s.height + 2 * s.padding_height > s.dilation_height * (s.kernel_height - 1) &&
              s.width + 2 * s.padding_width > s.dilation_width * (s.kernel_width - 1);
  if (!fits) return;
  int math = (int)in.number(0, 1);
  bool done = run(
      in, q, asked, [&](auto r, int c) { return kfac_accumulate_workspace(r, c, math); },
      [&](auto r, int c, void* w, long long b) { return kfac_accumulate(r, c, math, w, b, nullptr); });
  for (int64_t i = 0; done && i < s.groups * n * n; i++) {
    float mirrored = q.target[i / n / n * n * n + i % n * n + i / n % n];
    require(std::isfinite(q.target[i]) && q.target[i] == mirrored, "a moment holds", q.target[i]);
  }
}

// Verbs on arrays: one line each.
void elements(Bytes& in) {
  int n = extent(in), count = (int)in.number(1, 3);
  int64_t size = (int64_t)n * n * count;
  switch (in.number(0, 6)) {
    case 0: {
      kfac_traces_request q = {definite(in, n, count), room<double>(count), n, count}, asked = q;
      odd(in, asked.n), odd(in, asked.count), odd(in, asked.traces);
      if (run(in, q, asked, kfac_traces_workspace,
              [](auto r, int c, void* w, long long b) { return kfac_traces(r, c, w, b, nullptr); }))
        require(std::fabs(q.traces[count - 1] - 2 * n) < 1e-9, "a trace is", q.traces[count - 1]);
      break;
    }
    case 1: {
      kfac_squared_norms_request q = {definite(in, n, count), room<double>(count), n, count}, asked = q;
      odd(in, asked.n), odd(in, asked.count), odd(in, asked.matrix);
      if (run(in, q, asked, kfac_squared_norms_workspace,
              [](auto r, int c, void* w, long long b) { return kfac_squared_norms(r, c, w, b, nullptr); }))
        require(q.norms[0] >= 4 * n, "a norm is", q.norms[0]);
      break;
    }
    case 2: {
      kfac_first_non_finite_request q = {values<float>(in, size), room<long long>(1), size, KFAC_F32}, asked = q;
      int64_t at = in.number(0, size);
      if (at < size) ((float*)q.x)[at] = NAN;
      odd(in, asked.size), odd(in, asked.dtype), odd(in, asked.first);
      if (run(in, q, asked, kfac_first_non_finite_workspace,
              [](auto r, int c, void* w, long long b) { return kfac_first_non_finite(r, c, w, b, nullptr); }))
        require(*q.first == (at < size ? at : -1), "the first non-finite is", (double)*q.first);
      break;
    }
    case 3: {
      kfac_largest_request q = {values<float>(in, size), room<float>(1), size, KFAC_F32}, asked = q;
      ((float*)q.x)[in.number(0, size - 1)] = -7;
      odd(in, asked.size), odd(in, asked.dtype), odd(in, asked.largest);
      if (run(in, q, asked, kfac_largest_workspace,
              [](auto r, int c, void* w, long long b) { return kfac_largest(r, c, w, b, nullptr); }))
        require(*q.largest == 7, "the largest is", *q.largest);
      break;
    }
    case 4: {
      kfac_convert_request q = {
          values<float>(in, size), room<double>(size), count, n * n, n * n, n * n, KFAC_F32, KFAC_F64};
      kfac_convert_request asked = q;
      odd(in, asked.rows), odd(in, asked.columns), odd(in, asked.from_pitch), odd(in, asked.to_dtype),
          odd(in, asked.to);
      if (run(in, q, asked, kfac_convert_workspace,
              [](auto r, int c, void* w, long long b) { return kfac_convert(r, c, w, b, nullptr); }))
        require(((double*)q.to)[size - 1] == ((const float*)q.from)[size - 1], "a copy is", ((double*)q.to)[size - 1]);
      break;
    }
    case 5: {
      kfac_damp_request q = {
          definite(in, n, count), room<double>(size), room<int>(count), nullptr, 1, 0.5, n, count, KFAC_F64};
      kfac_damp_request asked = q;
      odd(in, asked.n), odd(in, asked.count), odd(in, asked.dtype), odd(in, asked.damped), odd(in, asked.status);
      if (run(in, q, asked, kfac_damp_workspace,
              [](auto r, int c, void* w, long long b) { return kfac_damp(r, c, w, b, nullptr); }))
        require(((double*)q.damped)[size - 1] == 2.5 && !q.status[0], "a damped element is",
                ((double*)q.damped)[size - 1]);
      break;
    }
    default: {
      kfac_divide_request q = {definite(in, n, count), values<double>(in, size), room<double>(1), 1, 3, size, KFAC_F32};
      kfac_divide_request asked = q;
      odd(in, asked.size), odd(in, asked.dtype), odd(in, asked.x), odd(in, asked.inner);
      if (run(in, q, asked, kfac_divide_workspace,
              [](auto r, int c, void* w, long long b) { return kfac_divide(r, c, w, b, nullptr); }))
        require(*q.inner >= 0 && std::isfinite(*q.inner), "an inner product is", *q.inner);
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Bytes in{data, size};
  switch (in.number(0, 4)) {
    case 0: invert(in); break;
    case 1: precondition(in); break;
    case 2: accumulate(in); break;
    default: elements(in);
  }
  kept.clear();
  return 0;
}
