// Damped inverses against Cholesky in fp64.
#include <algorithm>
#include <limits>
#include "check.h"

namespace {

using test::expect;

/// X'X / n of the given rank, exact in fp32.
std::vector<float> factor(std::mt19937& random, int n, int rank) {
  std::vector<float> x = test::gaussian(random, (size_t)rank * n), m((size_t)n * n);
  for (int i = 0; i < n; i++) {
    for (int j = 0; j <= i; j++) {
      double sum = 0;
      for (int k = 0; k < rank; k++) sum += (double)x[k * n + i] * x[k * n + j];
      m[i * n + j] = m[j * n + i] = (float)(sum / n);
    }
  }
  return m;
}

/// Cholesky inverse in the precision of T.
template <class T>
std::vector<T> inverse(const std::vector<float>& m, int n, double scale, double damping) {
  std::vector<T> a(n * n), x(n * n), result(n * n);
  for (int i = 0; i < n * n; i++) a[i] = (T)(scale * m[i] + (i % (n + 1) == 0 ? damping : 0));
  for (int j = 0; j < n; j++) {
    for (int i = j; i < n; i++) {
      T sum = a[i * n + j];
      for (int k = 0; k < j; k++) sum -= a[i * n + k] * a[j * n + k];
      a[i * n + j] = i == j ? std::sqrt(sum) : sum / a[j * n + j];
    }
  }
  for (int j = 0; j < n; j++) {
    for (int i = j; i < n; i++) {
      T sum = i == j ? 1 : 0;
      for (int k = j; k < i; k++) sum -= a[i * n + k] * x[k * n + j];
      x[i * n + j] = sum / a[i * n + i];
    }
  }
  for (int i = 0; i < n; i++) {
    for (int j = 0; j < n; j++) {
      T sum = 0;
      for (int k = std::max(i, j); k < n; k++) sum += x[k * n + i] * x[k * n + j];
      result[i * n + j] = sum;
    }
  }
  return result;
}

struct Batch {
  int n, count;
  std::vector<std::vector<float>> source, result;
  std::vector<double> scale, damping;
  std::vector<int32_t> status;

  Batch(int n, int count)
      : n(n), count(count), source(count), result(count), scale(count, 1), damping(count, 1), status(count, 99) {
    for (auto& r : result) r.assign(n * n, 7);
  }

  void run() {
    std::vector<const float*> from;
    std::vector<float*> to;
    for (int k = 0; k < count; k++) {
      from.push_back(source[k].data());
      to.push_back(result[k].data());
    }
    std::vector<float> work(kfac_cpu_invert_floats(n), std::numeric_limits<float>::quiet_NaN());
    kfac_cpu_invert(n, count, from.data(), scale.data(), damping.data(), to.data(), status.data(), work.data());
  }
};

}  // namespace

KFAC_TEST(inverses_are_as_accurate_as_plain_cholesky) {
  std::mt19937 random(1);
  for (int n :
       {1, 2, 3, 5, 8, 13, 16, 17, 20, 31, 32, 33, 48, 63, 64, 65, 66, 95, 96, 97, 127, 128, 129, 200, 257, 321}) {
    for (double damping : {1e-1, 1e-3, 2e-5}) {
      int count = n <= 64 ? 19 : 2;
      Batch batch(n, count);
      for (int k = 0; k < count; k++) {
        batch.source[k] = factor(random, n, n / 2 + 1);
        batch.scale[k] = 0.5 + k;
        batch.damping[k] = damping * (k + 1);
      }
      std::vector<std::vector<float>> kept = batch.source;
      batch.run();
      for (int k = 0; k < count; k++) {
        std::string where =
            "n " + std::to_string(n) + ", damping " + std::to_string(damping) + ", matrix " + std::to_string(k);
        expect(batch.status[k] == 0, where + ": status " + std::to_string(batch.status[k]));
        std::vector<double> exact = inverse<double>(kept[k], n, batch.scale[k], batch.damping[k]);
        double plain = test::error(inverse<float>(kept[k], n, batch.scale[k], batch.damping[k]), exact);
        double ours = test::error(batch.result[k], exact);
        expect(ours <= std::max(3 * plain, 1e-6), where + ": error " + std::to_string(ours * 1e6) +
                                                      "e-6, plain Cholesky " + std::to_string(plain * 1e6) + "e-6");
        for (int i = 0; i < n; i++) {
          for (int j = 0; j < i; j++)
            expect(batch.result[k][i * n + j] == batch.result[k][j * n + i], where + ": not symmetric");
        }
        expect(batch.source[k] == kept[k], where + ": source changed");
      }
    }
  }
}

KFAC_TEST(only_the_lower_triangle_of_a_source_counts) {
  std::mt19937 random(9);
  for (int n : {2, 9, 16, 20, 33, 64, 65, 130}) {
    for (int count : {1, 19}) {
      Batch batch(n, count);
      for (auto& source : batch.source) source = factor(random, n, n);
      batch.run();
      std::vector<std::vector<float>> expected = batch.result;
      for (auto& source : batch.source) {
        for (int i = 0; i < n; i++) std::fill(source.data() + i * n + i + 1, source.data() + (i + 1) * n, NAN);
      }
      batch.run();
      expect(batch.result == expected, "n " + std::to_string(n) + ", " + std::to_string(count) + " matrices");
    }
  }
}

KFAC_TEST(failures_name_the_pivot_and_keep_the_old_value) {
  for (int n : {2, 7, 16, 18, 32, 40, 64, 65, 100, 130, 300}) {
    for (int pivot : {0, n / 2, n - 1}) {
      Batch batch(n, 20);
      for (int k = 0; k < 20; k++) {
        batch.source[k].assign(n * n, 0);
        for (int i = 0; i < n; i++) batch.source[k][i * n + i] = 1;
      }
      batch.source[3][pivot * (n + 1)] = -5;
      batch.source[4][(n - 1) * n] = std::numeric_limits<float>::quiet_NaN();
      batch.source[5][pivot * (n + 1)] = std::numeric_limits<float>::infinity();
      batch.source[6].assign(n * n, 0);
      batch.damping[6] = 0x1p-140;  // the inverse overflows
      batch.run();
      std::string where = "n " + std::to_string(n) + ", pivot " + std::to_string(pivot);
      for (int k = 0; k < 20; k++) {
        int expected = k == 3 ? pivot + 1 : k >= 4 && k <= 6 ? -1 : 0;
        expect(batch.status[k] == expected,
               where + ": status " + std::to_string(batch.status[k]) + " of matrix " + std::to_string(k));
        float first = batch.result[k][0];
        expect(expected == 0 ? std::fabs(first - 0.5f) < 1e-6 : first == 7, where + ": value " + std::to_string(first));
      }
    }
  }
}

KFAC_TEST(dot_products_are_summed_in_double) {
  std::mt19937 random(6);
  for (int n : {0, 1, 3, 16, 31, 32, 33, 1000}) {
    std::vector<float> x = test::gaussian(random, n), y = test::gaussian(random, n);
    double sum = 0;
    for (int i = 0; i < n; i++) sum += (double)x[i] * y[i];
    expect(std::fabs(kfac_cpu_dot(n, x.data(), y.data()) - sum) < 1e-12 * (1 + n), "dot of " + std::to_string(n));
  }
}
