// What stands behind eigendecompositions by another library, and before products in fp64.
#include "dense.h"
using namespace test;

namespace {

// Q diag(w) Q' with an exact Q: two reflections.
struct Decomposition {
  explicit Decomposition(int n) : n(n), vectors(size_t(n) * n), matrix(size_t(n) * n), products(size_t(n) * n) {
    std::vector<double> u(n), v(n);
    double uu = 0, vv = 0, uv = 0;
    for (int i = 0; i < n; ++i) u[i] = normal(), v[i] = normal();
    for (int i = 0; i < n; ++i) uu += u[i] * u[i], vv += v[i] * v[i], uv += u[i] * v[i];
    for (int j = 0; j < n; ++j) values.push_back(j < n / 2 ? 0.0 : j + 1.0);
    for (int j = 0; j < n; ++j)
      for (int i = 0; i < n; ++i)
        vectors[size_t(j) * n + i] =
            (i == j) - 2 * u[i] * u[j] / uu - 2 * v[i] * v[j] / vv + 4 * u[i] * uv * v[j] / uu / vv;
    for (int i = 0; i < n; ++i)
      for (int j = 0; j <= i; ++j) {
        double s = 0;
        for (int k = 0; k < n; ++k) s += values[k] * vectors[size_t(k) * n + i] * vectors[size_t(k) * n + j];
        matrix[size_t(i) * n + j] = matrix[size_t(j) * n + i] = s;
      }
    multiply();
  }
  void multiply() {
    for (int j = 0; j < n; ++j)
      for (int i = 0; i < n; ++i) {
        double s = 0;
        for (int k = 0; k < n; ++k) s += matrix[size_t(i) * n + k] * vectors[size_t(j) * n + k];
        products[size_t(j) * n + i] = s;
      }
  }

  int n;
  std::vector<double> vectors, values, matrix, products;
};

void append(std::vector<double>& to, const std::vector<double>& what) { to.insert(to.end(), what.begin(), what.end()); }

std::vector<int> check(int n, const std::vector<Decomposition>& all, const std::vector<int>& infos,
                       const std::vector<int>& before) {
  std::vector<double> matrices, vectors, products, values;
  for (const Decomposition& d : all) {
    append(matrices, d.matrix);
    append(vectors, d.vectors);
    append(products, d.products);
    append(values, d.values);
  }
  Device<double> m(matrices), v(vectors), p(products), w(values);
  Device<int> info(infos), status(before);
  const kfac_eigen_check_request request{m.get(),      v.get(), p.get(), w.get(),        info.get(),
                                         status.get(), 3e38,    n,       int(all.size())};
  Workspace workspace(kfac_eigen_check_workspace(&request, 1));
  CALL(kfac_eigen_check(&request, 1, workspace.get(), workspace.bytes(), nullptr));
  return status.host();
}

}  // namespace

TEST(eigen_check_by_the_residual) {
  for (int n : {1, 2, 13, 33, 100}) {
    const Decomposition good(n);
    Decomposition value = good, vector = good, near = good, huge = good;
    double norm = 0;
    for (double w : good.values) norm += w * w;
    value.values[n - 1] += 15 * n * 0x1p-52 * std::sqrt(norm);
    near.values[n - 1] += 5 * n * 0x1p-52 * std::sqrt(norm);
    vector.vectors[0] = NAN;
    for (double& x : huge.matrix) x *= 1e40;
    for (double& x : huge.values) x *= 1e40;
    huge.multiply();
    const int failed = KFAC_MATRIX_NOT_CONVERGED, large = KFAC_MATRIX_NOT_FINITE;
    const std::vector<int> expected{0, failed, failed, 0, large, failed, 7, KFAC_MATRIX_NOT_FINITE};
    const std::vector<int> found = check(n, {good, value, vector, near, huge, good, good, vector},
                                         {0, 0, 0, 0, 0, 3, 1, 0}, {0, 0, 0, 0, 0, 0, 7, KFAC_MATRIX_NOT_FINITE});
    for (size_t i = 0; i < expected.size(); ++i) CHECK(found[i] == expected[i], "n %d, matrix %zu: %d", n, i, found[i]);
  }
}

TEST(eigen_store_in_either_precision) {
  for (int n : {1, 5, 32, 70}) {
    const Decomposition d(n);
    std::vector<double> vectors, values;
    for (int m = 0; m < 3; ++m) append(vectors, d.vectors), append(values, d.values);
    Device<double> v(vectors), w(values), wide(vectors.size()), wide_values(values.size());
    Device<int> status(std::vector<int>{0, KFAC_MATRIX_NOT_CONVERGED, 0});
    Device<float> single(vectors.size()), single_values(values.size());
    const kfac_eigen_store_request requests[] = {
        {v.get(), w.get(), status.get(), single.get(), wide_values.get(), n, 3, KFAC_F32, KFAC_F64},
        {v.get(), w.get(), status.get(), wide.get(), single_values.get(), n, 3, KFAC_F64, KFAC_F32}};
    Workspace workspace(kfac_eigen_store_workspace(requests, 2));
    CALL(kfac_eigen_store(requests, 2, workspace.get(), workspace.bytes(), nullptr));
    const std::vector<float> s = single.host(), sv = single_values.host();
    const std::vector<double> x = wide.host(), xv = wide_values.host();
    for (int m : {0, 2}) {
      for (int i = 0; i < n; ++i)
        for (int j = 0; j < n; ++j) {
          const size_t to = (size_t(m) * n + i) * n + j;
          const double expected = d.vectors[size_t(j) * n + i];
          CHECK(x[to] == expected && s[to] == float(expected), "n %d: %g", n, expected);
        }
      for (int i = 0; i < n; ++i) CHECK(xv[m * n + i] == d.values[i] && sv[m * n + i] == float(d.values[i]), "n %d", n);
    }
    for (size_t i = 0; i < size_t(n) * n; ++i)
      CHECK(std::isnan(s[size_t(n) * n + i]) && std::isnan(x[size_t(n) * n + i]));
    for (int i = 0; i < n; ++i) CHECK(std::isnan(sv[n + i]) && std::isnan(xv[n + i]), "n %d", n);
  }
}

TEST(convert_with_pitches) {
  struct Shape {
    long long rows, columns, from_pitch, to_pitch;
  };
  const Shape shapes[] = {{1, 1, 1, 1}, {40, 33, 33, 34}, {40, 1, 1, 34}, {70, 20, 31, 20}, {0, 5, 5, 5}};
  std::vector<std::unique_ptr<Device<float>>> singles;
  std::vector<std::unique_ptr<Device<double>>> wides;
  std::vector<kfac_convert_request> requests;
  for (const Shape& s : shapes)
    for (int from : {KFAC_F32, KFAC_F64})
      for (int to : {KFAC_F32, KFAC_F64}) {
        std::vector<double> values;
        for (int i = 0; i < s.rows * s.from_pitch; ++i) values.push_back(normal() / 3.0);
        for (long long size : {s.rows * s.from_pitch, s.rows * s.to_pitch}) {
          singles.push_back(std::make_unique<Device<float>>(size));
          wides.push_back(std::make_unique<Device<double>>(size));
        }
        const size_t a = singles.size() - 2, b = a + 1;
        singles[a]->set(std::vector<float>(values.begin(), values.end()));
        wides[a]->set(values);
        requests.push_back({from == KFAC_F64 ? (const void*)wides[a]->get() : singles[a]->get(),
                            to == KFAC_F64 ? (void*)wides[b]->get() : singles[b]->get(), s.rows, s.columns,
                            s.from_pitch, s.to_pitch, from, to});
      }
  Workspace workspace(kfac_convert_workspace(requests.data(), int(requests.size())));
  CALL(kfac_convert(requests.data(), int(requests.size()), workspace.get(), workspace.bytes(), nullptr));
  for (size_t i = 0; i < requests.size(); ++i) {
    const kfac_convert_request& q = requests[i];
    const std::vector<double> from = wides[2 * i]->host(), to = wides[2 * i + 1]->host();
    const std::vector<float> single = singles[2 * i + 1]->host();
    for (long long k = 0; k < q.rows * q.to_pitch; ++k) {
      const long long row = k / q.to_pitch, column = k % q.to_pitch;
      const double got = q.to_dtype == KFAC_F64 ? to[k] : single[k];
      if (column >= q.columns) {
        CHECK(std::isnan(got), "shape %zu", i);
        continue;
      }
      const double x = from[row * q.from_pitch + column];
      CHECK(got == (q.from_dtype == KFAC_F64 && q.to_dtype == KFAC_F64 ? x : double(float(x))), "shape %zu: %g", i,
            got);
    }
  }
}

TEST(eigen_verbs_refuse_bad_arguments) {
  Device<double> x(8);
  Device<float> y(8);
  Device<int> status(2);
  kfac_eigen_check_request check{x.get(), x.get(), nullptr, x.get(), status.get(), status.get(), 1e300, 2, 1};
  CHECK(kfac_eigen_check_workspace(&check, 1) == KFAC_INVALID_ARGUMENT && std::strstr(kfac_error_detail(), "products"));
  check.products = x.get(), check.n = 1 << 21;
  CHECK(kfac_eigen_check_workspace(&check, 1) == KFAC_TOO_LARGE);
  kfac_eigen_store_request store{x.get(), x.get(), status.get(), nullptr, y.get(), 2, 1, KFAC_F32, KFAC_F32};
  CHECK(kfac_eigen_store_workspace(&store, 1) == KFAC_INVALID_ARGUMENT && std::strstr(kfac_error_detail(), "columns"));
  store.columns = y.get() + 1, store.vectors_dtype = KFAC_F64;
  CHECK(kfac_eigen_store_workspace(&store, 1) == KFAC_MISALIGNED);
  kfac_convert_request convert{y.get(), y.get() + 1, 1, 2, 2, 2, KFAC_F32, KFAC_F64};
  CHECK(kfac_convert_workspace(&convert, 1) == KFAC_MISALIGNED && std::strstr(kfac_error_detail(), "to"));
  convert.to = x.get(), convert.to_pitch = 1;
  CHECK(kfac_convert_workspace(&convert, 1) == KFAC_INVALID_ARGUMENT && std::strstr(kfac_error_detail(), "pitches"));
}
