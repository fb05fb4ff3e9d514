// The C interface itself: what it refuses, and how it says so.
#include "harness.h"
using namespace test;

namespace {

struct Fixture {
  Device<float> data{std::vector<float>(4096, 1.0f)};
  Device<float> out{4096};
  Device<int> status{64};
  Device<double> inner{1};
  Device<unsigned char> workspace{1 << 20};

  kfac_invert_request invert() const { return {data.get(), out.get(), status.get(), nullptr, 0.0f, 1.0f, 8, 2, 0}; }
  int call(const kfac_invert_request& q) const {
    return kfac_invert(&q, 1, KFAC_SPLIT_F16, workspace.get(), 1 << 20, nullptr);
  }
  kfac_samples samples() const {
    kfac_samples r{};
    r.data = data.get();
    r.groups = 1;
    r.batch = 4, r.channels = 4, r.height = r.width = 5;
    r.batch_stride = 100, r.channel_stride = 25, r.y_stride = 5, r.x_stride = 1;
    r.kernel_height = r.kernel_width = 3;
    r.stride_height = r.stride_width = r.dilation_height = r.dilation_width = 1;
    return r;
  }
  int call(const kfac_samples& r, float* moment) const {
    const kfac_accumulate_request q{r, moment, 1.0f, 0.0f};
    return kfac_accumulate(&q, 1, KFAC_SPLIT_F16, workspace.get(), 1 << 20, nullptr);
  }
};

void expect(int status, int expected, const char* words, int line) {
  if (status != expected || !std::strstr(kfac_error_detail(), words))
    fail(
        __FILE__, line,
        text("status %d (expected %d), detail \"%s\" (expected \"%s\")", status, expected, kfac_error_detail(), words));
}
#define EXPECT(call, status, words) expect(call, status, words, __LINE__)

// A change to a good value that must be refused.
template <class T, class Field, class Value>
T with(T value, Field T::*field, Value changed) {
  value.*field = changed;
  return value;
}

template <class T>
T* shifted(T* p) {
  return reinterpret_cast<T*>(reinterpret_cast<char*>(p) + 1);
}

}  // namespace

TEST(api_empty_batches) {
  CHECK(kfac_invert_workspace(nullptr, 0, KFAC_FFMA) == 0);
  CHECK(kfac_patches(nullptr, 0, nullptr, 0, nullptr) == 0);
  CHECK(kfac_accumulate(nullptr, 0, KFAC_SPLIT_F16, nullptr, 0, nullptr) == 0);
  CHECK(kfac_invert(nullptr, 0, KFAC_SPLIT_F16, nullptr, 0, nullptr) == 0);
  CHECK(kfac_precondition(nullptr, 0, KFAC_SPLIT_F16, nullptr, 0, nullptr) == 0);
  CHECK(kfac_divide(nullptr, 0, nullptr, 0, nullptr) == 0);
  CHECK(kfac_squares(nullptr, 0, nullptr, 0, nullptr) == 0);
  CHECK(kfac_scale(nullptr, 0, nullptr, 0, nullptr) == 0);
  CHECK(kfac_traces(nullptr, 0, nullptr, 0, nullptr) == 0);
  CHECK(kfac_squared_norms(nullptr, 0, nullptr, 0, nullptr) == 0);
  CHECK(kfac_first_non_finite(nullptr, 0, nullptr, 0, nullptr) == 0);
  const kfac_invert_request none{nullptr, nullptr, nullptr, nullptr, 1.0f, 1.0f, 300, 0, 0};  // a stack of none
  CHECK(kfac_invert(&none, 1, KFAC_SPLIT_F16, nullptr, 0, nullptr) == 0);
}

TEST(api_refuses_bad_arguments) {
  Fixture f;
  using Q = kfac_invert_request;
  const Q good = f.invert();
  CALL(f.call(good));
  EXPECT(f.call(with(good, &Q::matrix, nullptr)), KFAC_INVALID_ARGUMENT,
         "kfac_invert, request 0: matrix must not be null");
  EXPECT(f.call(with(good, &Q::inverse, nullptr)), KFAC_INVALID_ARGUMENT, "inverse");
  EXPECT(f.call(with(good, &Q::status, nullptr)), KFAC_INVALID_ARGUMENT, "status");
  EXPECT(f.call(with(good, &Q::matrix, shifted(f.data.get()))), KFAC_MISALIGNED, "matrix must be aligned to 4 bytes");
  EXPECT(f.call(with(good, &Q::inverse, shifted(f.out.get()))), KFAC_MISALIGNED, "inverse");
  EXPECT(f.call(with(good, &Q::status, shifted(f.status.get()))), KFAC_MISALIGNED, "status");
  EXPECT(f.call(with(good, &Q::dampings, shifted(f.data.get()))), KFAC_MISALIGNED, "dampings");
  EXPECT(f.call(with(good, &Q::n, 0)), KFAC_INVALID_ARGUMENT, "n must be at least 1 (got 0)");
  EXPECT(f.call(with(good, &Q::count, -1)), KFAC_INVALID_ARGUMENT, "count");
  EXPECT(f.call(with(good, &Q::algorithm, 7)), KFAC_INVALID_ARGUMENT, "unknown algorithm (got 7)");
  EXPECT(f.call(with(good, &Q::algorithm, -1)), KFAC_INVALID_ARGUMENT, "unknown algorithm");
  EXPECT(f.call(with(with(good, &Q::n, 33), &Q::algorithm, KFAC_INVERT_FP64_32)), KFAC_INVALID_ARGUMENT,
         "too large for this algorithm (got 33)");
  EXPECT(f.call(with(good, &Q::n, 1 << 21)), KFAC_TOO_LARGE, "2^20");
  EXPECT(f.call(with(with(good, &Q::n, 1 << 20), &Q::count, 1 << 30)), KFAC_TOO_LARGE, "2^48");
  EXPECT(kfac_invert(&good, 1, 7, f.workspace.get(), 1 << 20, nullptr), KFAC_INVALID_ARGUMENT, "unknown math (got 7)");
  EXPECT(kfac_invert(nullptr, 1, 0, f.workspace.get(), 1 << 20, nullptr), KFAC_INVALID_ARGUMENT, "requests");
  EXPECT(kfac_invert(&good, -1, 0, f.workspace.get(), 1 << 20, nullptr), KFAC_INVALID_ARGUMENT, "count");
  const Q two[] = {good, with(good, &Q::n, -5)};
  EXPECT(kfac_invert(two, 2, 0, f.workspace.get(), 1 << 20, nullptr), KFAC_INVALID_ARGUMENT, "request 1: n must");
  EXPECT(int(kfac_invert_workspace(two, 2, 0)), KFAC_INVALID_ARGUMENT, "kfac_invert_workspace, request 1");
}

TEST(api_checks_the_workspace) {
  Fixture f;
  const kfac_invert_request good = f.invert();
  const long long bytes = kfac_invert_workspace(&good, 1, KFAC_SPLIT_F16);
  CHECK(bytes > 0);
  EXPECT(kfac_invert(&good, 1, KFAC_SPLIT_F16, f.workspace.get(), bytes - 1, nullptr), KFAC_WORKSPACE_TOO_SMALL,
         "workspace");
  EXPECT(kfac_invert(&good, 1, KFAC_SPLIT_F16, nullptr, bytes, nullptr), KFAC_INVALID_ARGUMENT,
         "workspace must not be null");
  EXPECT(kfac_invert(&good, 1, KFAC_SPLIT_F16, f.workspace.get() + 128, bytes, nullptr), KFAC_MISALIGNED,
         "aligned to 256");
  CALL(kfac_invert(&good, 1, KFAC_SPLIT_F16, f.workspace.get(), bytes, nullptr));
}

TEST(api_checks_samples) {
  Fixture f;
  using R = kfac_samples;
  const R good = f.samples();
  CALL(f.call(good, f.out.get()));
  EXPECT(f.call(good, nullptr), KFAC_INVALID_ARGUMENT, "target");
  EXPECT(f.call(with(good, &R::data, shifted(f.data.get())), f.out.get()), KFAC_MISALIGNED,
         "data must be aligned to 4");
  EXPECT(f.call(with(with(good, &R::dtype, KFAC_BF16), &R::data, shifted(f.data.get())), f.out.get()), KFAC_MISALIGNED,
         "data must be aligned to 2");
  EXPECT(f.call(with(good, &R::dtype, 3), f.out.get()), KFAC_INVALID_ARGUMENT, "dtype");
  EXPECT(f.call(with(good, &R::bias, 2), f.out.get()), KFAC_INVALID_ARGUMENT, "bias");
  EXPECT(f.call(with(good, &R::groups, 3), f.out.get()), KFAC_INVALID_ARGUMENT, "multiple of groups");
  EXPECT(f.call(with(good, &R::groups, 0), f.out.get()), KFAC_INVALID_ARGUMENT, "groups must be at least 1");
  EXPECT(f.call(with(good, &R::batch, -1), f.out.get()), KFAC_INVALID_ARGUMENT, "batch");
  EXPECT(f.call(with(good, &R::x_stride, -1), f.out.get()), KFAC_INVALID_ARGUMENT, "strides");
  EXPECT(f.call(with(good, &R::kernel_height, 6), f.out.get()), KFAC_INVALID_ARGUMENT,
         "must fit into the padded image");
  EXPECT(f.call(with(good, &R::dilation_width, 3), f.out.get()), KFAC_INVALID_ARGUMENT,
         "must fit into the padded image");
  EXPECT(f.call(with(good, &R::stride_width, 0), f.out.get()), KFAC_INVALID_ARGUMENT, "stride");
  EXPECT(f.call(with(good, &R::padding_width, -1), f.out.get()), KFAC_INVALID_ARGUMENT, "padding");
  EXPECT(f.call(with(good, &R::height, 1LL << 40), f.out.get()), KFAC_TOO_LARGE, "2^27");
  EXPECT(f.call(with(good, &R::batch_stride, 1LL << 60), f.out.get()), KFAC_TOO_LARGE, "2^48");
  EXPECT(f.call(with(good, &R::channels, 1LL << 40), f.out.get()), KFAC_TOO_LARGE, "");
}

TEST(api_checks_other_requests) {
  Fixture f;
  float* x = f.data.get();
  const kfac_precondition_request p{x, x, x, nullptr, f.out.get(), nullptr, f.inner.get(),
                                    1, 4, 4, 1,       nullptr,     nullptr, nullptr};
  using P = kfac_precondition_request;
  auto precondition = [&](const P& q) { return kfac_precondition(&q, 1, 0, f.workspace.get(), 1 << 20, nullptr); };
  CALL(precondition(p));
  EXPECT(precondition(with(p, &P::bias_gradient, x)), KFAC_INVALID_ARGUMENT, "bias_result");
  EXPECT(precondition(with(p, &P::groups, 3)), KFAC_INVALID_ARGUMENT, "multiple of groups");
  EXPECT(precondition(with(p, &P::inner, reinterpret_cast<double*>(x + 1))), KFAC_MISALIGNED,
         "inner must be aligned to 8");
  EXPECT(precondition(with(p, &P::in, 0)), KFAC_INVALID_ARGUMENT, "in must");
  EXPECT(precondition(with(p, &P::norms, f.inner.get())), KFAC_INVALID_ARGUMENT, "g_norms must not be null");
  EXPECT(precondition(with(with(p, &P::norms, f.inner.get()), &P::g_norms, f.inner.get())), KFAC_INVALID_ARGUMENT,
         "a_norms must not be null");
  EXPECT(precondition(with(p, &P::a_norms, reinterpret_cast<double*>(x + 1))), KFAC_INVALID_ARGUMENT, "g_norms");
  const kfac_squared_norms_request squares{x, nullptr, 4, 1};
  EXPECT(kfac_squared_norms(&squares, 1, f.workspace.get(), 1 << 20, nullptr), KFAC_INVALID_ARGUMENT, "norms");
  const kfac_upload_request u{x, x, 6};
  EXPECT(kfac_upload(&u, 1, nullptr, 0, nullptr), KFAC_INVALID_ARGUMENT, "multiple of 4");
  const kfac_upload_request nothing{nullptr, x, 4};
  EXPECT(kfac_upload(&nothing, 1, nullptr, 0, nullptr), KFAC_INVALID_ARGUMENT, "values");
  const kfac_scale_request e{x, x, -1};
  EXPECT(kfac_scale(&e, 1, f.workspace.get(), 1 << 20, nullptr), KFAC_INVALID_ARGUMENT, "size");
  const kfac_scale_request huge{x, x, 1LL << 45};
  EXPECT(kfac_scale(&huge, 1, f.workspace.get(), 1 << 20, nullptr), KFAC_TOO_LARGE, "grid");
  const kfac_divide_request d{x, f.inner.get(), nullptr, 1.0, 1.0, 4, KFAC_F32};
  EXPECT(kfac_divide(&d, 1, f.workspace.get(), 1 << 20, nullptr), KFAC_INVALID_ARGUMENT, "inner");
  const kfac_squares_request s{f.inner.get(), f.out.get(), -1, 4, 1.0f, 0.0f};
  EXPECT(kfac_squares(&s, 1, f.workspace.get(), 1 << 20, nullptr), KFAC_INVALID_ARGUMENT, "terms");
  const kfac_first_non_finite_request n{nullptr, nullptr, 0, 0};
  EXPECT(kfac_first_non_finite(&n, 1, f.workspace.get(), 1 << 20, nullptr), KFAC_INVALID_ARGUMENT, "first");
}

TEST(api_names_itself) {
  CHECK(kfac_cuda_abi() == KFAC_CUDA_ABI);
  CHECK(std::strlen(kfac_cuda_build()) > 0);
  CHECK(!std::strcmp(kfac_error_string(KFAC_MISALIGNED), "misaligned pointer"));
  CHECK(!std::strcmp(kfac_error_string(-99), "unknown status"));
  CHECK(std::strlen(kfac_error_string(2)) > 0);
}
