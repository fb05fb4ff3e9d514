// What stands before and after inverses by another library.
#include "dense.h"
using namespace test;

TEST(damp_and_mirror) {
  const float poison = factor_matrix(1, 1, 0)[0] * NAN;
  for (int n : {1, 5, 33, 130}) {
    const size_t elements = size_t(n) * n;
    std::vector<float> values;
    for (int m = 0; m < 4; ++m)
      for (float x : factor_matrix(n, n, 0)) values.push_back(x);
    values[elements + elements - 1] = INFINITY;
    const std::vector<float> dampings{0.5f, 1.0f, 2.0f, 3.0f};
    Device<float> matrix(values), damped(values.size()), inverse(values.size()), own(dampings);
    Device<double> wide(values.size());
    Device<int> status(8), pivots(std::vector<int>{0, 7, 2, 0});
    for (const float* each : {(const float*)nullptr, (const float*)own.get()}) {
      const kfac_damp_request damp[] = {
          {matrix.get(), damped.get(), status.get(), each, 1.0 / 3, 0.25, n, 4, KFAC_F32},
          {matrix.get(), wide.get(), status.get() + 4, each, 1.0 / 3, 0.25, n, 4, KFAC_F64}};
      Workspace workspace(kfac_damp_workspace(damp, 2));
      CALL(kfac_damp(damp, 2, workspace.get(), workspace.bytes(), nullptr));
      CHECK(status.host() == std::vector<int>({0, KFAC_MATRIX_NOT_FINITE, 0, 0, 0, KFAC_MATRIX_NOT_FINITE, 0, 0}),
            "n %d", n);
      const std::vector<float> host = damped.host();
      const std::vector<double> wide_host = wide.host();
      for (size_t i = 0; i < values.size(); ++i) {
        const bool diagonal = i % elements % (n + 1) == 0;
        const double expected = std::fma(1.0 / 3, values[i], diagonal ? each ? dampings[i / elements] : 0.25 : 0.0);
        CHECK(host[i] == float(expected), "n %d, element %zu: %g, not %g", n, i, host[i], expected);
        CHECK(wide_host[i] == expected, "n %d, element %zu: %g, not %g", n, i, wide_host[i], expected);
      }
    }
    // Nothing above the diagonals may be read.
    std::vector<float> lower = values;
    for (size_t i = 0; i < lower.size(); ++i)
      if (i % elements % n > i % elements / n) lower[i] = poison;
    damped.set(lower);
    wide.set(std::vector<double>(lower.begin(), lower.end()));
    Device<float> other(values.size());
    const kfac_mirror_request mirror[] = {{damped.get(), inverse.get(), status.get(), pivots.get(), n, 4, KFAC_F32},
                                          {wide.get(), other.get(), status.get() + 4, pivots.get(), n, 4, KFAC_F64}};
    Workspace workspace(kfac_mirror_workspace(mirror, 2));
    CALL(kfac_mirror(mirror, 2, workspace.get(), workspace.bytes(), nullptr));
    CHECK(status.host() == std::vector<int>({0, KFAC_MATRIX_NOT_FINITE, 2, 0, 0, KFAC_MATRIX_NOT_FINITE, 2, 0}), "n %d",
          n);
    const std::vector<float> untouched = Device<float>(elements).host();
    for (const std::vector<float>& host : {inverse.host(), other.host()})
      for (int m = 0; m < 4; ++m) {
        const std::vector<float>& expected = m % 3 ? untouched : values;
        CHECK(!std::memcmp(&host[m * elements], &expected[m % 3 ? 0 : m * elements], elements * sizeof(float)),
              "n %d, matrix %d", n, m);
      }
  }
}

TEST(damp_and_mirror_refuse_bad_arguments) {
  Device<float> x(8);
  Device<int> status(2);
  kfac_damp_request damp{x.get(), nullptr, status.get(), nullptr, 1.0, 1.0, 2, 1, KFAC_F32};
  CHECK(kfac_damp_workspace(&damp, 1) == KFAC_INVALID_ARGUMENT && std::strstr(kfac_error_detail(), "damped"));
  damp.damped = reinterpret_cast<float*>(reinterpret_cast<char*>(x.get()) + 2);
  CHECK(kfac_damp_workspace(&damp, 1) == KFAC_MISALIGNED);
  damp.damped = x.get() + 1, damp.dtype = KFAC_F64;
  CHECK(kfac_damp_workspace(&damp, 1) == KFAC_MISALIGNED);
  damp.dtype = KFAC_F16;
  CHECK(kfac_damp_workspace(&damp, 1) == KFAC_INVALID_ARGUMENT && std::strstr(kfac_error_detail(), "dtype"));
  damp.damped = x.get(), damp.n = 0;
  CHECK(kfac_damp_workspace(&damp, 1) == KFAC_INVALID_ARGUMENT && std::strstr(kfac_error_detail(), "n must"));
  kfac_mirror_request mirror{x.get(), x.get() + 4, status.get(), nullptr, 2, 1, KFAC_F32};
  CHECK(kfac_mirror_workspace(&mirror, 1) == KFAC_INVALID_ARGUMENT && std::strstr(kfac_error_detail(), "pivots"));
  mirror.count = 0;
  CHECK(kfac_mirror_workspace(&mirror, 1) == 0);
}

// Who calls cuSOLVER asks the table; kfac_invert itself never does.
TEST(damp_and_the_table) {
  CHECK(kfac_inversion_by_size(1, 1) != KFAC_INVERT_CUSOLVER && kfac_inversion_by_size(1 << 20, 0x7fffffff) > 0);
  kfac_invert_request request{nullptr, nullptr, nullptr, nullptr, 1.0f, 1.0f, 4, 0, KFAC_INVERT_CUSOLVER};
  CHECK(kfac_invert_workspace(&request, 1, KFAC_FFMA) == KFAC_INVALID_ARGUMENT);
  CHECK(std::strstr(kfac_error_detail(), "kfac_damp"), "%s", kfac_error_detail());
}
