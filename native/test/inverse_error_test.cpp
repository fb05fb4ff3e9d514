// Whether an estimate of |X M - I| accepts good inverses and refuses bad ones.
#include "dense.h"
using namespace test;

namespace {

constexpr double LIMIT = 0.01;

// The spectral norm of X M - I, by power iteration.
double error_norm(int n, const float* x, const std::vector<double>& m) {
  std::vector<double> e(size_t(n) * n), v(n, 1.0);
  for (int i = 0; i < n; ++i)
    for (int k = 0; k < n; ++k)
      for (int j = 0; j < n; ++j) e[size_t(i) * n + j] += double(x[size_t(i) * n + k]) * m[size_t(k) * n + j];
  for (int i = 0; i < n; ++i) e[size_t(i) * (n + 1)] -= 1.0;
  double norm = 0;
  for (double& a : v) a = normal();
  for (int round = 0; round < 100; ++round) {
    std::vector<double> w(n), u(n);
    for (int i = 0; i < n; ++i)
      for (int j = 0; j < n; ++j) w[i] += e[size_t(i) * n + j] * v[j];
    for (int i = 0; i < n; ++i)
      for (int j = 0; j < n; ++j) u[j] += e[size_t(i) * n + j] * w[i];
    double size = 0;
    for (double a : u) size += a * a;
    norm = std::sqrt(std::sqrt(size));
    if (size == 0) return 0;
    for (int i = 0; i < n; ++i) v[i] = u[i] / std::sqrt(size);
  }
  return norm;
}

struct Matrix {
  std::vector<float> factor;
  float damping;
  std::vector<float> inverse;
};

// An inverse X (I + size s s' / n): E is size s s' / n then, but for rounding.
Matrix wrong_by(int n, double size, float damping, int rank) {
  Matrix result{factor_matrix(n, rank, 0), damping, {}};
  const std::vector<double> x = cholesky_inverse<double>(n, damped(n, result.factor.data(), 1.0f, damping));
  std::vector<double> s(n), xs(n);
  for (double& a : s) a = normal();
  double length = 0;
  for (double a : s) length += a * a;
  for (int i = 0; i < n; ++i)
    for (int j = 0; j < n; ++j) xs[i] += x[size_t(i) * n + j] * s[j];
  for (int i = 0; i < n; ++i)
    for (int j = 0; j < n; ++j) result.inverse.push_back(float(x[size_t(i) * n + j] + size / length * s[i] * xs[j]));
  return result;
}

struct Answer {
  std::vector<double> errors;
  std::vector<int> status;
};

// All in one call, a request for each size.
std::vector<Answer> ask(const std::vector<std::pair<int, std::vector<Matrix>>>& stacks, float scale, int before) {
  std::vector<std::unique_ptr<Device<float>>> floats;
  std::vector<std::unique_ptr<Device<double>>> errors;
  std::vector<std::unique_ptr<Device<int>>> status;
  std::vector<kfac_inverse_error_request> requests;
  for (const auto& [n, matrices] : stacks) {
    std::vector<float> a, x, dampings;
    for (const Matrix& m : matrices) {
      a.insert(a.end(), m.factor.begin(), m.factor.end());
      x.insert(x.end(), m.inverse.begin(), m.inverse.end());
      dampings.push_back(m.damping);
    }
    for (const auto* values : {&a, &x, &dampings}) floats.push_back(std::make_unique<Device<float>>(*values));
    errors.push_back(std::make_unique<Device<double>>(matrices.size()));
    status.push_back(std::make_unique<Device<int>>(std::vector<int>(matrices.size(), before)));
    const size_t last = floats.size();
    requests.push_back({floats[last - 3]->get(), floats[last - 2]->get(), errors.back()->get(), status.back()->get(),
                        floats[last - 1]->get(), scale, NAN, LIMIT, n, int(matrices.size())});
  }
  Workspace workspace(kfac_inverse_error_workspace(requests.data(), int(requests.size())));
  CALL(kfac_inverse_error(requests.data(), int(requests.size()), workspace.get(), workspace.bytes(), nullptr));
  std::vector<Answer> answers;
  for (size_t i = 0; i < requests.size(); ++i) answers.push_back({errors[i]->host(), status[i]->host()});
  return answers;
}

double filter(const Matrix& m, int n, float scale) {
  double before = 0, after = 0;
  for (int i = 0; i < n; ++i) {
    before += double(scale) * m.factor[size_t(i) * (n + 1)] + double(m.damping);
    after += m.inverse[size_t(i) * (n + 1)];
  }
  return 0.4 * 0x1p-24 * before * after;
}

}  // namespace

TEST(inverse_error_tells_good_from_bad) {
  std::vector<std::pair<int, std::vector<Matrix>>> stacks;
  for (int n : {1, 2, 7, 31, 33, 64, 130}) {
    stacks.push_back({n, {}});
    for (double size : {0.0, 1e-4, 1e-3, 0.02, 0.1, 3.0})  // between them an estimate may go either way
      for (float damping : {1e-4f, 1e-5f}) stacks.back().second.push_back(wrong_by(n, size, damping, (n + 1) / 2));
  }
  const std::vector<Answer> answers = ask(stacks, 1.0f, KFAC_MATRIX_OK);
  for (size_t i = 0; i < stacks.size(); ++i) {
    const auto& [n, matrices] = stacks[i];
    for (size_t k = 0; k < matrices.size(); ++k) {
      const Matrix& m = matrices[k];
      const double bound = filter(m, n, 1.0f), given = answers[i].errors[k];
      const double norm = error_norm(n, m.inverse.data(), damped(n, m.factor.data(), 1.0f, m.damping));
      const int status = answers[i].status[k];
      if (bound <= LIMIT) {
        CHECK(std::fabs(given - bound) <= 1e-12 * bound && status == KFAC_MATRIX_OK, "n %d: %g, not %g", n, given,
              bound);
        continue;
      }
      CHECK((status == KFAC_MATRIX_OK) == (given <= LIMIT / 2), "n %d: %g, status %d", n, given, status);
      CHECK(status == KFAC_MATRIX_OK || status == KFAC_MATRIX_INACCURATE, "n %d: status %d", n, status);
      CHECK(given >= 0.15 * norm && given <= 6 * norm + 1e-12, "n %d: %g for %g", n, given, norm);
      if (norm > LIMIT) CHECK(status == KFAC_MATRIX_INACCURATE, "n %d: %g taken for %g", n, norm, given);
      if (norm < LIMIT / 12) CHECK(status == KFAC_MATRIX_OK, "n %d: %g taken for %g", n, norm, given);
    }
  }
  const std::vector<Answer> again = ask(stacks, 1.0f, KFAC_MATRIX_OK);
  for (size_t i = 0; i < again.size(); ++i) CHECK(same_bits(answers[i].errors, again[i].errors), "%d", stacks[i].first);
}

// Well-conditioned: the traces say enough; whatever the diagonal does not show, X M - I is not formed.
TEST(inverse_error_of_the_traces) {
  std::vector<std::pair<int, std::vector<Matrix>>> stacks;
  for (int n : {1, 40, 300}) {
    std::vector<float> unit(size_t(n) * n, 0.0f);
    for (int i = 0; i < n; ++i) unit[size_t(i) * (n + 1)] = 1.0f + i;
    std::vector<float> inverse(unit);
    for (int i = 0; i < n; ++i) inverse[size_t(i) * (n + 1)] = 1.0f / (2.0f * (1 + i) + 0.5f);
    stacks.push_back({n, {{unit, 0.5f, inverse}, {unit, 0.5f, inverse}}});
    inverse[size_t(n) * n - 1] *= -1.0f;  // no inverse of a positive definite matrix
    stacks.back().second.push_back({unit, 0.5f, inverse});
  }
  const std::vector<Answer> answers = ask(stacks, 2.0f, KFAC_MATRIX_OK);
  for (size_t i = 0; i < stacks.size(); ++i) {
    const int n = stacks[i].first;
    const double bound = filter(stacks[i].second[0], n, 2.0f);
    CHECK(answers[i].status == std::vector<int>({0, 0, KFAC_MATRIX_INACCURATE}), "n %d", n);
    for (int k : {0, 1})
      CHECK(std::fabs(answers[i].errors[k] - bound) <= 1e-12 * bound, "n %d: %g", n, answers[i].errors[k]);
    CHECK(std::fabs(answers[i].errors[2] - 2.0) <= 1e-5, "n %d: %g", n, answers[i].errors[2]);
  }
}

TEST(inverse_error_does_not_touch_failures) {
  const Matrix bad = wrong_by(20, 1.0, 1e-4f, 10);
  for (int status : {3, int(KFAC_MATRIX_NOT_FINITE)}) {
    const Answer answer = ask({{20, {bad, bad}}}, 1.0f, status)[0];
    CHECK(answer.status == std::vector<int>({status, status}));
    for (double e : answer.errors) CHECK(same_bits(std::vector<double>{e}, Device<double>(1).host()), "written: %g", e);
  }
}

TEST(inverse_error_not_finite) {
  for (int n : {1, 50})
    for (float wrong : {INFINITY, NAN}) {
      Matrix m = wrong_by(n, 0.0, 1.0f, n);
      m.inverse[size_t(n) * n - 1] = wrong;
      const Answer answer = ask({{n, {m}}}, 1.0f, KFAC_MATRIX_OK)[0];
      CHECK(answer.status[0] == KFAC_MATRIX_NOT_FINITE && answer.errors[0] == INFINITY, "n %d: %g", n,
            answer.errors[0]);
    }
}

TEST(inverse_error_refuses_bad_arguments) {
  Device<float> x(8);
  Device<double> errors(1);
  Device<int> status(1);
  kfac_inverse_error_request q{x.get(), x.get(), nullptr, status.get(), nullptr, 1.0f, 1.0f, LIMIT, 2, 1};
  CHECK(kfac_inverse_error_workspace(&q, 1) == KFAC_INVALID_ARGUMENT && std::strstr(kfac_error_detail(), "errors"));
  q.errors = errors.get(), q.bound = NAN;
  CHECK(kfac_inverse_error_workspace(&q, 1) == KFAC_INVALID_ARGUMENT && std::strstr(kfac_error_detail(), "bound"));
  q.bound = LIMIT, q.n = 0;
  CHECK(kfac_inverse_error_workspace(&q, 1) == KFAC_INVALID_ARGUMENT && std::strstr(kfac_error_detail(), "n must"));
}
