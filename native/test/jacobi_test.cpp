// Small eigendecompositions, by what must hold of them: residual, orthogonality, order, and eigenvalues that are known.
#include "dense.h"
using namespace test;

namespace {

constexpr double EPSILON = 0x1p-52;

struct Stack {
  Stack(int n, const std::vector<std::vector<double>>& matrices)
      : n(n), count(int(matrices.size())), all(joined(matrices)), matrix(all), vectors(all.size()),
        values(size_t(n) * count), status(std::vector<int>(count, KFAC_MATRIX_OK)), infos(count) {}
  static std::vector<double> joined(const std::vector<std::vector<double>>& matrices) {
    std::vector<double> all;
    for (const auto& m : matrices) all.insert(all.end(), m.begin(), m.end());
    return all;
  }
  kfac_jacobi_request request() const {
    return {matrix.get(), vectors.get(), values.get(), status.get(), infos.get(), n, count};
  }

  int n, count;
  std::vector<double> all;
  Device<double> matrix, vectors, values;
  Device<int> status, infos;
};

void decompose(const std::vector<kfac_jacobi_request>& requests) {
  Workspace workspace(kfac_jacobi_workspace(requests.data(), int(requests.size())));
  CALL(kfac_jacobi(requests.data(), int(requests.size()), workspace.get(), workspace.bytes(), nullptr));
}

double norm(const std::vector<double>& x) {
  double sum = 0;
  for (double v : x) sum += v * v;
  return std::sqrt(sum);
}

// The bounds are those at which a decomposition is believed: 10 n 2^-52, of |A| and of 1.
void check(const Stack& s, const char* what) {
  const int n = s.n;
  const std::vector<double> vectors = s.vectors.host(), values = s.values.host();
  for (int m = 0; m < s.count; ++m) {
    const double *a = &s.all[size_t(m) * n * n], *v = &vectors[size_t(m) * n * n], *w = &values[size_t(m) * n];
    std::vector<double> residual, gram;
    for (int j = 0; j < n; ++j)
      for (int i = 0; i < n; ++i) {
        double product = -w[j] * v[j * n + i], dot = -double(i == j);
        for (int k = 0; k < n; ++k) {
          product += a[std::max(i, k) * n + std::min(i, k)] * v[j * n + k];
          dot += v[i * n + k] * v[j * n + k];
        }
        residual.push_back(product), gram.push_back(dot);
      }
    double size = 0;
    for (int i = 0; i < n; ++i)
      for (int j = 0; j < n; ++j) size += std::pow(a[std::max(i, j) * n + std::min(i, j)], 2);
    size = std::sqrt(size);
    CHECK(s.infos.host()[m] == 0, "%s n %d", what, n);
    CHECK(norm(residual) <= 10 * n * EPSILON * size, "%s n %d: residual %g", what, n, norm(residual) / EPSILON / size);
    CHECK(norm(gram) <= 10 * n * EPSILON, "%s n %d: orthogonality %g", what, n, norm(gram) / EPSILON);
    for (int i = 1; i < n; ++i) CHECK(w[i - 1] <= w[i], "%s n %d: %g before %g", what, n, w[i - 1], w[i]);
  }
}

std::vector<double> wide(const std::vector<float>& m) { return {m.begin(), m.end()}; }

// I - 2 u u' / u'u, whose eigenvalues are -1 and 1, times a power of two.
std::vector<double> reflection(int n, double scale) {
  std::vector<double> u(n), m(size_t(n) * n);
  double square = 0;
  for (double& x : u) x = normal(), square += x * x;
  for (int i = 0; i < n; ++i)
    for (int j = 0; j < n; ++j) m[i * n + j] = scale * ((i == j) - 2 * u[i] * u[j] / square);
  return m;
}

}  // namespace

TEST(jacobi_all_sizes_in_one_call) {
  std::vector<std::unique_ptr<Stack>> stacks;
  std::vector<kfac_jacobi_request> requests;
  for (int n : {1, 2, 3, 4, 7, 16, 31, 32, 33, 50, 63, 64}) {
    std::vector<std::vector<double>> matrices{wide(factor_matrix(n, n, 2)), wide(factor_matrix(n, (n + 3) / 4, 0)),
                                              std::vector<double>(size_t(n) * n, 0.0), reflection(n, 1)};
    for (int i = 0; i < n; ++i)
      for (int j = i + 1; j < n; ++j) matrices[0][i * n + j] = NAN;  // is not read
    stacks.push_back(std::make_unique<Stack>(n, matrices));
    requests.push_back(stacks.back()->request());
  }
  decompose(requests);
  std::vector<std::vector<double>> first;
  for (const auto& s : stacks) {
    check(*s, "all");
    first.push_back(s->vectors.host());
    const std::vector<double> values = s->values.host();
    const int n = s->n;
    for (int i = 0; i < n; ++i) {
      CHECK(values[2 * n + i] == 0.0, "n %d: %g of zero", n, values[2 * n + i]);
      // eigenvalues move by no more than the matrix is off, by rounding its elements
      const double expected = i == 0 ? -1 : 1;
      CHECK(std::fabs(values[3 * n + i] - expected) <= (n + 4) * EPSILON, "n %d: %.17g", n, values[3 * n + i]);
    }
  }
  decompose(requests);
  for (size_t i = 0; i < stacks.size(); ++i) CHECK(same_bits(first[i], stacks[i]->vectors.host()), "%d", stacks[i]->n);
}

// A unit matrix with one element beside the diagonal: every pair of rows has its turn.
TEST(jacobi_of_every_pair) {
  for (int n : {2, 5, 8}) {
    std::vector<std::vector<double>> matrices;
    for (int i = 0; i < n; ++i)
      for (int j = 0; j < i; ++j) {
        std::vector<double> m(size_t(n) * n);
        for (int k = 0; k < n; ++k) m[k * n + k] = 3;
        m[i * n + j] = m[j * n + i] = 0.5;
        matrices.push_back(m);
      }
    const Stack s(n, matrices);
    decompose({s.request()});
    check(s, "pair");
    const std::vector<double> values = s.values.host();
    for (int m = 0; m < s.count; ++m)
      CHECK(std::fabs(values[m * n] - 2.5) <= 4 * EPSILON && std::fabs(values[m * n + n - 1] - 3.5) <= 4 * EPSILON,
            "n %d: %g and %g", n, values[m * n], values[m * n + n - 1]);
  }
}

// Scaled by a power of two, a matrix has the same eigenvectors to the bit.
TEST(jacobi_of_scaled_matrices) {
  for (int n : {6, 40}) {
    const std::vector<double> m = wide(factor_matrix(n, n, 1));
    std::vector<double> large = m, small = m;
    for (double& x : large) x = std::ldexp(x, 300);
    for (double& x : small) x = std::ldexp(x, -300);
    const Stack s(n, {m, large, small});
    decompose({s.request()});
    check(s, "scaled");
    const std::vector<double> vectors = s.vectors.host(), values = s.values.host();
    for (int i = 0; i < n * n; ++i)
      CHECK(vectors[i] == vectors[n * n + i] && vectors[i] == vectors[2 * n * n + i], "n %d", n);
    for (int i = 0; i < n; ++i)
      CHECK(std::ldexp(values[i], 300) == values[n + i] && std::ldexp(values[i], -300) == values[2 * n + i], "n %d", n);
  }
}

TEST(jacobi_leaves_out_what_failed_before) {
  for (int n : {9, 33}) {
    const std::vector<double> m = wide(factor_matrix(n, n, 1));
    Stack s(n, {m, std::vector<double>(size_t(n) * n, NAN), m});
    s.status.set({KFAC_MATRIX_OK, KFAC_MATRIX_NOT_FINITE, KFAC_MATRIX_OK});
    const std::vector<int> poison = s.infos.host();
    kfac_jacobi_request request = s.request();
    request.vectors = s.matrix.get();  // in place
    decompose({s.request()});
    decompose({request});
    const std::vector<double> vectors = s.vectors.host(), in_place = s.matrix.host();
    CHECK(s.infos.host()[1] == poison[1] && std::isnan(s.values.host()[n]));
    for (int i = 0; i < n * n; ++i) {
      CHECK(std::isnan(vectors[n * n + i]) && std::isnan(in_place[n * n + i]));
      CHECK(vectors[i] == in_place[i] && vectors[i] == vectors[2 * n * n + i], "n %d", n);
    }
  }
}

TEST(jacobi_refuses_bad_arguments) {
  Device<double> x(8);
  Device<int> status(2);
  kfac_jacobi_request request{x.get(), x.get(), nullptr, status.get(), status.get(), 2, 1};
  CHECK(kfac_jacobi_workspace(&request, 1) == KFAC_INVALID_ARGUMENT && std::strstr(kfac_error_detail(), "values"));
  request.values = x.get(), request.n = KFAC_JACOBI_SIZE + 1;
  CHECK(kfac_jacobi_workspace(&request, 1) == KFAC_INVALID_ARGUMENT && std::strstr(kfac_error_detail(), "SIZE"));
  request.n = 2, request.infos = nullptr;
  CHECK(kfac_jacobi_workspace(&request, 1) == KFAC_INVALID_ARGUMENT && std::strstr(kfac_error_detail(), "infos"));
}
