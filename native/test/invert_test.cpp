#include "dense.h"
using namespace test;

namespace {

constexpr int MATHS[] = {KFAC_SPLIT_F16, KFAC_FFMA};

struct Stack {
  Stack(int n, std::vector<std::vector<float>> matrices, float scale, float damping)
      : n(n), scale(scale), damping(damping), matrices(std::move(matrices)), device(size()), inverse(size()),
        status(this->matrices.size()) {
    std::vector<float> all;
    for (const auto& m : this->matrices) all.insert(all.end(), m.begin(), m.end());
    device.set(all);
  }
  size_t size() const { return matrices.size() * n * n; }
  int count() const { return int(matrices.size()); }
  kfac_invert_request request() const {
    return {device.get(), inverse.get(), status.get(), nullptr, scale, damping, n, count(), KFAC_INVERT_BY_SIZE};
  }
  std::vector<float> result(int m) const {
    const std::vector<float> all = inverse.host();
    return {all.begin() + size_t(m) * n * n, all.begin() + size_t(m + 1) * n * n};
  }

  int n;
  float scale, damping;
  std::vector<std::vector<float>> matrices;
  Device<float> device, inverse;
  Device<int> status;
};

void invert(const std::vector<kfac_invert_request>& requests, int math) {
  Workspace workspace(kfac_invert_workspace(requests.data(), int(requests.size()), math));
  CALL(kfac_invert(requests.data(), int(requests.size()), math, workspace.get(), workspace.bytes(), nullptr));
}

// Results against fp64: the largest error of these matrices of a stack is at most three times the largest error of
// the fp32 Cholesky inverse on them.
void check_inverses(const Stack& s, std::initializer_list<int> matrices, const char* what) {
  double worst = 0, bound = 0;
  for (int m : matrices) {
    const std::vector<double> a = damped(s.n, s.matrices[m].data(), s.scale, s.damping);
    const std::vector<double> reference = cholesky_inverse<double>(s.n, a);
    bound = std::fmax(bound, error(cholesky_inverse<float>(s.n, std::vector<float>(a.begin(), a.end())), reference));
    const std::vector<float> x = s.result(m);
    const double e = error(x, reference);
    CHECK(std::isfinite(e), "%s n %d matrix %d", what, s.n, m);
    worst = std::fmax(worst, e);
    CHECK(symmetric(x.data(), s.n), "%s n %d matrix %d", what, s.n, m);
    CHECK(s.status.host()[m] == KFAC_MATRIX_OK, "n %d matrix %d: %d", s.n, m, s.status.host()[m]);
  }
  CHECK(worst <= 3 * bound + 1e-7, "%s n %d: error %g, fp32 Cholesky %g", what, s.n, worst, bound);
}

bool untouched(const std::vector<float>& x) {
  for (float v : x) {
    uint32_t bits;
    std::memcpy(&bits, &v, 4);
    if (bits != 0xffffffffu) return false;
  }
  return true;
}

std::vector<float> diagonal(int n, float value) {
  std::vector<float> m(size_t(n) * n, 0.0f);
  for (int i = 0; i < n; ++i) m[i * n + i] = value;
  return m;
}

}  // namespace

TEST(invert_all_sizes_in_one_call) {
  std::vector<std::unique_ptr<Stack>> stacks;
  for (int n : {1, 2, 13, 31, 32, 33, 64, 65, 100, 128, 129, 207}) {
    std::vector<std::vector<float>> matrices;
    for (int m = 0; m < (n <= 64 ? 6 : 2); ++m) matrices.push_back(factor_matrix(n, n, 0.5));
    stacks.push_back(std::make_unique<Stack>(n, matrices, 0.5f, 0.3f));
  }
  for (int math : MATHS) {
    std::vector<kfac_invert_request> requests;
    for (const auto& s : stacks) requests.push_back(s->request());
    invert(requests, math);
    std::vector<std::vector<float>> first;
    for (const auto& s : stacks) {
      if (s->count() == 6) check_inverses(*s, {0, 1, 2, 3, 4, 5}, math == KFAC_FFMA ? "ffma" : "split");
      else check_inverses(*s, {0, 1}, math == KFAC_FFMA ? "ffma" : "split");
      first.push_back(s->inverse.host());
    }
    invert(requests, math);
    for (size_t i = 0; i < stacks.size(); ++i)
      CHECK(same_bits(first[i], stacks[i]->inverse.host()), "%d", stacks[i]->n);
  }
}

// Every algorithm at sizes that the table gives to another one, in one call.
TEST(invert_by_every_algorithm) {
  std::vector<std::unique_ptr<Stack>> stacks;
  std::vector<kfac_invert_request> requests;
  auto add = [&](int n, kfac_inversion algorithm) {
    stacks.push_back(std::make_unique<Stack>(
        n, std::vector<std::vector<float>>{factor_matrix(n, n, 0.5), factor_matrix(n, n, 0.5), diagonal(n, -1.0f)},
        1.0f, 0.3f));
    requests.push_back(stacks.back()->request());
    requests.back().algorithm = algorithm;
  };
  for (int n : {1, 2, 5, 8}) add(n, KFAC_INVERT_FP64_8);
  for (int n : {1, 8, 20, 32}) add(n, KFAC_INVERT_FP64_32);
  for (int n : {1, 20, 64}) add(n, KFAC_INVERT_REGISTERS_64);
  for (int n : {1, 20, 64, 128}) add(n, KFAC_INVERT_REGISTERS_128);
  for (int n : {1, 20, 100, 128, 140, 260}) add(n, KFAC_INVERT_SWEEP);
  for (int math : MATHS) {
    invert(requests, math);
    for (const auto& s : stacks) {
      check_inverses(*s, {0, 1}, "chosen");
      CHECK(s->status.host()[2] == 1 && untouched(s->result(2)), "n %d: %d", s->n, s->status.host()[2]);
    }
  }
}

// Rank-deficient factors with condition numbers 2e3, 2e4, 2e5.
static void ill_conditioned(std::initializer_list<int> sizes) {
  for (int n : sizes)
    for (float damping : {1e-1f, 1e-2f, 1e-3f})
      for (int math : MATHS) {
        if (n <= 128 && math == KFAC_FFMA) continue;  // the same kernel
        Stack s(n, {factor_matrix(n, (n + 1) / 2, 2), factor_matrix(n, (n + 3) / 4, 0)}, 1.0f, damping);
        invert({s.request()}, math);
        for (int m : {0, 1}) check_inverses(s, {m}, text("damping %g math %d", damping, math).c_str());
      }
}
TEST(invert_ill_conditioned_small) { ill_conditioned({1, 2, 7, 8, 9, 32, 64, 101, 128}); }
TEST(invert_ill_conditioned_large) { ill_conditioned({300}); }

// One damping for each matrix, from device memory.
TEST(invert_own_dampings) {
  for (int n : {20, 140}) {
    const std::vector<float> dampings{0.5f, 2.0f, 0.125f};
    Stack s(n, {factor_matrix(n, n, 0), factor_matrix(n, n, 0), factor_matrix(n, n, 0)}, 2.0f, NAN);
    Device<float> device(dampings);
    kfac_invert_request request = s.request();
    request.dampings = device.get();
    invert({request}, KFAC_SPLIT_F16);
    for (int m = 0; m < 3; ++m) {
      s.damping = dampings[m];
      check_inverses(s, {m}, "own damping");
    }
  }
}

TEST(invert_in_place) {
  for (int n : {13, 64, 128, 150}) {
    Stack s(n, {factor_matrix(n, n, 0), factor_matrix(n, n, 0)}, 1.0f, 0.1f);
    kfac_invert_request request = s.request();
    invert({request}, KFAC_SPLIT_F16);
    request.inverse = s.device.get();
    invert({request}, KFAC_SPLIT_F16);
    CHECK(same_bits(s.device.host(), s.inverse.host()), "%d", n);
  }
}

// A matrix that is not finite is found before it is factored and does not touch its neighbours in the stack.
TEST(invert_not_finite) {
  for (int n : {1, 13, 32, 50, 64, 90, 128, 150, 260})
    for (float bad : {NAN, INFINITY, -INFINITY}) {
      std::vector<std::vector<float>> matrices(3, diagonal(n, 2.0f));
      const int i = n - 1, j = n / 2;
      matrices[1][i * n + j] = matrices[1][j * n + i] = bad;
      Stack s(n, matrices, 1.0f, 0.5f);
      invert({s.request()}, KFAC_SPLIT_F16);
      CHECK(s.status.host()[1] == KFAC_MATRIX_NOT_FINITE, "n %d: %d", n, s.status.host()[1]);
      CHECK(untouched(s.result(1)), "n %d", n);
      check_inverses(s, {0, 2}, "neighbours");
    }
  Stack overflow(40, {diagonal(40, 3e38f)}, 10.0f, 0.0f);
  invert({overflow.request()}, KFAC_SPLIT_F16);
  CHECK(overflow.status.host()[0] == KFAC_MATRIX_NOT_FINITE);
}

TEST(invert_indefinite_names_the_pivot) {
  for (int n : {1, 2, 13, 32, 64, 90, 128, 150, 260})
    for (int pivot : {0, 1, 6, n / 2, n - 2, n - 1}) {
      if (pivot < 0 || pivot >= n) continue;
      std::vector<std::vector<float>> matrices(2, diagonal(n, 2.0f));
      matrices[0][pivot * n + pivot] = -1.0f;
      if (pivot + 1 < n) matrices[0][(n - 1) * (n + 1)] = -1.0f;  // the first one counts
      Stack s(n, matrices, 1.0f, 0.5f);
      invert({s.request()}, KFAC_SPLIT_F16);
      CHECK(s.status.host()[0] == pivot + 1, "n %d pivot %d: %d", n, pivot + 1, s.status.host()[0]);
      CHECK(untouched(s.result(0)), "n %d", n);
      check_inverses(s, {1}, "neighbour");
    }
}

// Off-diagonal entries make it indefinite: the pivot that fails is the one at which Cholesky fails.
TEST(invert_indefinite_by_elimination) {
  for (int n : {5, 40, 100, 200}) {
    std::vector<float> m = diagonal(n, 1.0f);
    m[(n - 1) * n] = m[n - 1] = 2.0f;
    Stack s(n, {m, std::vector<float>(size_t(n) * n, 0.0f)}, 1.0f, 0.0f);
    invert({s.request()}, KFAC_SPLIT_F16);
    CHECK(s.status.host()[0] == n, "n %d: %d", n, s.status.host()[0]);
    CHECK(s.status.host()[1] == 1, "singular, n %d: %d", n, s.status.host()[1]);
  }
}
