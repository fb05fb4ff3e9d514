// How wrong inverses are beside plain fp32 Cholesky, over kinds of matrices: not three times in the worst case, as
// invert_test.cpp allows any of them, but no more on the whole of any kind.
#include "dense.h"
using namespace test;

namespace {

struct Kind {
  const char* name;
  double rank, decades;  // rank of the factor for n = 1, and how its columns fall
  float damping;
};
constexpr Kind KINDS[] = {{"near a multiple of the identity", 4, 0, 1000.0f}, {"well-conditioned", 4, 0, 10.0f},
                          {"rank n / 2, condition 2e3", 0.5, 0, 0.1f},        {"falling, condition 2e3", 2, 3, 0.1f},
                          {"falling, condition 2e4", 0.5, 2, 1e-2f},          {"falling, condition 2e5", 1, 2, 1e-3f}};

struct Errors {
  double ours, plain;  // plain: of fp32 Cholesky
};

Errors errors(int n, const Kind& kind, int math) {
  const std::vector<float> factor = factor_matrix(n, std::max(1, int(kind.rank * n + 0.5)), kind.decades);
  Device<float> device(factor), inverse(factor.size());
  Device<int> status(1);
  const kfac_invert_request request{device.get(),       inverse.get(), status.get(), nullptr, 1.0f, kind.damping, n, 1,
                                    KFAC_INVERT_BY_SIZE};
  Workspace workspace(kfac_invert_workspace(&request, 1, math));
  CALL(kfac_invert(&request, 1, math, workspace.get(), workspace.bytes(), nullptr));
  CHECK(status.host()[0] == KFAC_MATRIX_OK, "n %d, %s", n, kind.name);
  const std::vector<double> a = damped(n, factor.data(), 1.0f, kind.damping);
  const std::vector<double> reference = cholesky_inverse<double>(n, a);
  return {error(inverse.host(), reference),
          error(cholesky_inverse<float>(n, std::vector<float>(a.begin(), a.end())), reference)};
}

}  // namespace

// Up to 32 x 32 in fp64: what is left is the rounding of the result.
TEST(accuracy_of_small_inverses) {
  for (const Kind& kind : KINDS)
    for (int n : {1, 2, 3, 8, 9, 12, 16, 24, 31, 32}) {
      const Errors e = errors(n, kind, KFAC_SPLIT_F16);
      CHECK(e.ours <= 0x1p-24, "n %d, %s: %g", n, kind.name, e.ours);
    }
}

TEST(accuracy_of_inverses) {
  for (int math : {KFAC_SPLIT_F16, KFAC_FFMA}) {
    for (const Kind& kind : KINDS) {
      double sum = 0;
      int ratios = 0;
      for (int n : {33, 40, 64, 100, 128, 200}) {
        if (n <= 128 && math == KFAC_FFMA) continue;  // the same kernels
        for (int i = 0; i < 3; ++i, ++ratios) {
          const Errors e = errors(n, kind, math);
          sum += std::log(e.ours / e.plain);
        }
      }
      const double mean = std::exp(sum / ratios);
      std::printf("  %s: %.2f times the error of plain Cholesky\n", kind.name, mean);
      CHECK(mean <= 1.0, "math %d, %s: %g", math, kind.name, mean);
    }
  }
}
