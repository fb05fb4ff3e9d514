// Offsets beyond 2^31 elements through every kernel, see large.h.
#include "large.h"
using namespace test;

namespace {

constexpr long long BEYOND = (1LL << 31) + 5;
constexpr int SIDE = 46400;  // SIDE * SIDE is beyond 2^31

template <class Request>
void call(long long (*query)(const Request*, int), int (*verb)(const Request*, int, void*, long long, kfac_stream),
          const Request& request) {
  Workspace workspace(query(&request, 1));
  CALL(verb(&request, 1, workspace.get(), workspace.bytes(), nullptr));
}
template <class Request>
void call(long long (*query)(const Request*, int, int),
          int (*verb)(const Request*, int, int, void*, long long, kfac_stream), const Request& request, int math) {
  Large<unsigned char> workspace(query(&request, 1, math));
  CALL(verb(&request, 1, math, workspace.get(), (long long)workspace.bytes(), nullptr));
}

// [rows, n] with a distance between rows
kfac_samples matrix(const float* data, long long rows, long long n, long long distance) {
  kfac_samples r{};
  r.data = data;
  r.groups = 1;
  r.batch = rows, r.channels = n, r.height = r.width = 1;
  r.batch_stride = distance, r.channel_stride = 1;
  r.kernel_height = r.kernel_width = r.stride_height = r.stride_width = r.dilation_height = r.dilation_width = 1;
  return r;
}

}  // namespace

TEST(offsets_of_activations) {
  if (!room(9e9)) return;
  Large<float> data(BEYOND + 2);
  data.set(0, 3.0f), data.set(BEYOND, 5.0f), data.set(BEYOND + 1, 7.0f);
  Device<float> moment(4), patches(4);
  const kfac_samples samples = matrix(data.get(), 2, 2, BEYOND);
  call(kfac_accumulate_workspace, kfac_accumulate, {samples, moment.get(), 1.0f, 0.0f}, KFAC_SPLIT_F16);
  CHECK(moment.host() == std::vector<float>({34, 35, 35, 49}));
  call(kfac_patches_workspace, kfac_patches, {samples, patches.get()});
  CHECK(patches.host() == std::vector<float>({3, 0, 5, 7}));
}

TEST(offsets_of_patches) {
  if (!room(18e9)) return;
  const long long rows = BEYOND / 64 + 1;
  Large<float> data(64 * rows), out(64 * rows);
  data.set(64 * rows - 1, 3.0f);
  const LastBlocks last(1);
  call(kfac_patches_workspace, kfac_patches, {matrix(data.get(), rows, 64, 64), out.get()});
  CHECK(out[64 * rows - 1] == 3.0f && out[64 * rows - 2] == 0.0f);
}

TEST(offsets_of_moments) {
  if (!room(9e9)) return;
  std::vector<float> x(2 * SIDE, 0.0f);
  x[SIDE - 2] = 2.0f, x[SIDE - 1] = 3.0f, x[2 * SIDE - 1] = 5.0f;
  Device<float> data(x);
  const LastBlocks last(1);
  for (int math : {KFAC_SPLIT_F16, KFAC_FFMA}) {
    Large<float> moment(1LL * SIDE * SIDE);
    call(kfac_accumulate_workspace, kfac_accumulate, {matrix(data.get(), 2, SIDE, SIDE), moment.get(), 1.0f, 0.0f},
         math);
    const long long end = 1LL * SIDE * SIDE;
    CHECK(moment[end - 1] == 34.0f && moment[end - 2] == 6.0f && moment[end - 1 - SIDE] == 6.0f &&
              moment[end - 2 - SIDE] == 4.0f,
          "math %d", math);
  }
}

TEST(offsets_of_inverses) {
  if (!room(70e9)) return;
  const kfac_inversion algorithms[] = {KFAC_INVERT_FP64_8, KFAC_INVERT_FP64_32, KFAC_INVERT_REGISTERS_64,
                                       KFAC_INVERT_REGISTERS_128, KFAC_INVERT_SWEEP};
  const int sizes[] = {8, 32, 64, 128, 128};
  for (kfac_inversion algorithm : algorithms) {
    const int n = sizes[algorithm - KFAC_INVERT_FP64_8];
    const long long count = BEYOND / (n * n) + 4;
    Large<float> matrix(count * n * n), inverse(count * n * n);
    Large<int> status(count);
    status.set(count - 1, 77);
    const LastBlocks last(10);  // of the sweep's store: one matrix
    matrix.set((count - 1) * n * n, 3.0f);
    call(kfac_invert_workspace, kfac_invert,
         {matrix.get(), inverse.get(), status.get(), nullptr, 1.0f, 1.0f, n, int(count), algorithm}, KFAC_SPLIT_F16);
    const long long at = (count - 1) * n * n;
    CHECK(status[count - 1] == 0 && inverse[at] == 0.25f && inverse[at + 1] == 0.0f && inverse[at + n * n - 1] == 1.0f,
          "algorithm %d", algorithm);
  }
}

TEST(offsets_of_gradients) {
  const long long end = 1LL * SIDE * SIDE;
#ifdef CUDA_EMU  // planes need all blocks
  const std::vector<int> maths{KFAC_FFMA};
#else
  const std::vector<int> maths{KFAC_SPLIT_F16, KFAC_FFMA};
#endif
  for (int math : maths) {
    if (!room(math == KFAC_FFMA ? 45e9 : 80e9)) continue;
    Large<float> g(end), a(end), w(end), u(end);
    Device<double> inner(1);
    g.set(end - 1, 2.0f), g.set(end - 2, 1.0f), g.set(end - 1 - SIDE, 1.0f);
    a.set(end - 1, 3.0f), a.set(end - 2, 1.0f), a.set(end - 1 - SIDE, 1.0f);
    w.set(end - 1, 5.0f), w.set(end - 2, 7.0f);
    const LastBlocks last(1);
    call(kfac_precondition_workspace, kfac_precondition,
         {g.get(), a.get(), w.get(), nullptr, u.get(), nullptr, inner.get(), 1, SIDE, SIDE, 1.0f, nullptr, nullptr,
          nullptr},
         math);
    // the last row of dW A^-1 is [5, 22]
    CHECK(u[end - 1] == 44.0f && u[end - 2] == 10.0f && u[end - 1 - SIDE] == 22.0f && u[end - 2 - SIDE] == 5.0f,
          "math %d", math);
#ifndef CUDA_EMU  // needs all blocks
    CHECK(inner.host()[0] == 5 * 44 + 7 * 10, "math %d", math);
#endif
  }
}

TEST(offsets_around_inverses) {
  if (!room(18e9)) return;
  const long long end = 1LL * SIDE * SIDE;
  Large<float> matrix(end), other(end);
  Device<int> status(1), pivots(std::vector<int>{0});
  matrix.set(end - 1, 2.0f), matrix.set(end - 2, 5.0f);
  const LastBlocks last(2);
  status.set({0});
  call(kfac_damp_workspace, kfac_damp, {matrix.get(), other.get(), status.get(), nullptr, 2.0, 1.0, SIDE, 1, KFAC_F32});
  CHECK(other[end - 1] == 5.0f && other[end - 2] == 10.0f && status.host()[0] == 0);
  call(kfac_mirror_workspace, kfac_mirror, {other.get(), matrix.get(), status.get(), pivots.get(), SIDE, 1, KFAC_F32});
  CHECK(matrix[end - 1] == 5.0f && matrix[end - 2] == 10.0f && matrix[end - 1 - SIDE] == 10.0f);
}

TEST(offsets_of_traces) {
  if (!room(18e9)) return;
  Large<float> matrix(2LL * SIDE * SIDE);
  matrix.set(2LL * SIDE * SIDE - 1, 2.0f), matrix.set(1LL * SIDE * SIDE, 3.0f);
  Device<double> traces(2);
  const LastBlocks last(1);
  call(kfac_traces_workspace, kfac_traces, {matrix.get(), traces.get(), SIDE, 2});
  CHECK(traces.host()[1] == 5.0);
}

TEST(offsets_of_squared_norms) {
  if (!room(18e9)) return;
  const long long end = 2LL * SIDE * SIDE;
  Large<float> matrix(end);
  matrix.set(end - 1, 2.0f), matrix.set(end - 2, 3.0f);
  Device<double> norms(2);
  const kfac_squared_norms_request request{matrix.get(), norms.get(), SIDE, 2};
  Large<unsigned char> workspace(kfac_squared_norms_workspace(&request, 1));  // zeros, for the blocks that do not run
  const LastBlocks last(2);
  CALL(kfac_squared_norms(&request, 1, workspace.get(), (long long)workspace.bytes(), nullptr));
  CHECK(norms.host()[1] == 13.0);
}

TEST(offsets_of_terms) {
  if (!room(27e9)) return;
  const long long size = BEYOND / 2 + 1;
  Large<double> x(2 * size);
  Large<float> y(size);
  x.set(size - 1, 2.0), x.set(2 * size - 1, 3.0);
  const LastBlocks last(1);
  call(kfac_squares_workspace, kfac_squares, {x.get(), y.get(), 2, size, 1.0f, 0.0f});
  CHECK(y[size - 1] == 13.0f && y[size - 2] == 0.0f);
}

TEST(offsets_of_arrays) {
  if (!room(9e9)) return;
  Large<float> x(BEYOND);
  x.set(BEYOND - 1, 3.0f);
  Device<float> factor(std::vector<float>{0.5f});
  Device<long long> first(1);
  Device<float> largest(1);
  const LastBlocks last(1);
  call(kfac_largest_workspace, kfac_largest, {x.get(), largest.get(), BEYOND, KFAC_F32});
  CHECK(largest.host()[0] == 3.0f);
  call(kfac_scale_workspace, kfac_scale, {x.get(), factor.get(), BEYOND});
  CHECK(x[BEYOND - 1] == 1.5f);
  call(kfac_first_non_finite_workspace, kfac_first_non_finite, {x.get(), first.get(), BEYOND, KFAC_F32});
  CHECK(first.host()[0] == -1);
  x.set(BEYOND - 2, INFINITY);
  call(kfac_first_non_finite_workspace, kfac_first_non_finite, {x.get(), first.get(), BEYOND, KFAC_F32});
  CHECK(first.host()[0] == BEYOND - 2);
}

TEST(offsets_of_doubles) {
  if (!room(27e9)) return;
  Large<float> y(BEYOND);
  Large<double> x(BEYOND);
  x.set(BEYOND - 1, 1.5);
  Device<double> inner(1);
  const LastBlocks last(1);
  call(kfac_squares_workspace, kfac_squares, {x.get(), y.get(), 1, BEYOND, 2.0f, 0.0f});
  CHECK(y[BEYOND - 1] == 4.5f);
  call(kfac_divide_workspace, kfac_divide, {y.get(), x.get(), inner.get(), 2.0, 1.0, BEYOND, KFAC_F32});
  CHECK(x[BEYOND - 1] == 0.15 && x[BEYOND - 2] == 0.0);
  call(kfac_convert_workspace, kfac_convert, {x.get(), y.get(), 1, BEYOND, BEYOND, BEYOND, KFAC_F64, KFAC_F32});
  CHECK(y[BEYOND - 1] == 0.15f && y[BEYOND - 2] == 0.0f);
}

TEST(offsets_of_eigenvectors) {
  if (!room(45e9)) return;
  const long long end = 1LL * SIDE * SIDE;
  Large<double> vectors(end);
  Large<float> columns(end);
  Device<double> values(std::vector<double>(SIDE, 1.0));
  Device<float> rounded(SIDE);
  Device<int> status(std::vector<int>{0});
  vectors.set(end - 1, 2.0), vectors.set(end - 2, 3.0);
  {
    const LastBlocks last(1);
    call(kfac_eigen_store_workspace, kfac_eigen_store,
         {vectors.get(), values.get(), status.get(), columns.get(), rounded.get(), SIDE, 1, KFAC_F32, KFAC_F32});
  }
  CHECK(columns[end - 1] == 2.0f && columns[end - 1 - SIDE] == 3.0f && columns[end - 2] == 0.0f);
}

TEST(offsets_of_inverse_errors) {
  if (!room(18e9)) return;
  const long long end = 1LL * SIDE * SIDE;
  Large<float> matrix(end), inverse(end);
  Device<double> errors(1);
  Device<int> status(std::vector<int>{0});
  matrix.set(end - 1, 1.0f), inverse.set(end - 1, INFINITY);
#ifndef CUDA_EMU  // needs all blocks
  call(kfac_inverse_error_workspace, kfac_inverse_error,
       {matrix.get(), inverse.get(), errors.get(), status.get(), nullptr, 1.0f, 1.0f, 0.01, SIDE, 1});
  CHECK(status.host()[0] == KFAC_MATRIX_NOT_FINITE);
#endif
}
