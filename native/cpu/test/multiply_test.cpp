// Products of packed panels against fp64.
#include <algorithm>
#include "check.h"

namespace {

struct Operand {
  int rows, cols;
  bool transposed;
  std::vector<float> data;
  ptrdiff_t row() const { return transposed ? 1 : cols; }
  ptrdiff_t col() const { return transposed ? rows : 1; }
  float at(int i, int j) const { return data[i * row() + j * col()]; }
};

Operand random_operand(std::mt19937& random, int rows, int cols, bool transposed) {
  return {rows, cols, transposed, test::gaussian(random, (size_t)rows * cols)};
}

void check(std::mt19937& random, int m, int n, int k, int forms) {
  Operand a = random_operand(random, m, k, forms & 1), b = random_operand(random, k, n, forms & 2);
  Operand c = random_operand(random, m, n, forms & 4);
  int width = kfac_cpu_panel_width(), cut = (n / 2 + width - 1) / width * width;
  std::vector<float> panels((size_t)k * ((n + width - 1) / width * width) + 16);
  float* aligned = (float*)(((uintptr_t)panels.data() + 63) / 64 * 64);
  cut = std::min(cut, n);
  kfac_cpu_pack(k, cut, b.data.data(), b.row(), b.col(), aligned);
  kfac_cpu_pack(k, n - cut, b.data.data() + cut * b.col(), b.row(), b.col(), aligned + (size_t)cut * k);
  for (float beta : {0.f, -0.5f}) {
    std::vector<double> expected(c.data.size());
    for (int i = 0; i < m; i++) {
      for (int j = 0; j < n; j++) {
        double sum = 0;
        for (int q = 0; q < k; q++) sum += (double)a.at(i, q) * b.at(q, j);
        expected[i * c.row() + j * c.col()] = 2 * sum + beta * c.at(i, j);
      }
    }
    auto run = [&](int from, int to, std::vector<float>& out) {
      kfac_cpu_multiply(to - from, n, k, a.data.data() + from * a.row(), a.row(), a.col(), aligned, 2, beta,
                        out.data() + from * c.row(), c.row(), c.col());
    };
    std::vector<float> whole = beta == 0 ? std::vector<float>(c.data.size(), NAN) : c.data, parts = whole;
    run(0, m, whole);
    run(0, m / 3, parts);
    run(m / 3, m, parts);
    char text[100];
    std::snprintf(text, sizeof text, "%d x %d x %d, forms %d, beta %g", m, n, k, forms, beta);
    test::expect(test::error(whole, expected) < 1e-6, text);
    test::expect(whole == parts, std::string(text) + ": the cut changes bits");
  }
}

}  // namespace

KFAC_TEST(products_of_every_form) {
  std::mt19937 random(7);
  for (int forms = 0; forms < 8; forms++) {
    for (int m : {1, 2, 5, 13, 14, 15, 29}) check(random, m, 33, 17, forms);
    for (int n : {1, 7, 16, 31, 32, 65, 530}) check(random, 15, n, 19, forms);
    for (int k : {1, 2, 576, 577, 1153}) check(random, 17, 37, k, forms);
  }
}

/// Rounding a sum of k equal terms in fp32 is off by up to k / 2 units; of short sums by no more than a few.
KFAC_TEST(short_sums_of_equal_terms_do_not_drift) {
  std::mt19937 random(9);
  for (int k : {1, 2, 3, 8, 32, 33, 256, 1000}) {
    for (int n : {1, 31, 32, 45, 530}) {
      int m = 17, width = kfac_cpu_panel_width();
      std::vector<float> x = test::gaussian(random, m), y = test::gaussian(random, n), a(m * k), b(k * n);
      for (int q = 0; q < k; q++) {
        std::copy(x.begin(), x.end(), a.begin() + q * m);
        std::copy(y.begin(), y.end(), b.begin() + q * n);
      }
      std::vector<float> panels((size_t)k * ((n + width - 1) / width * width) + 16);
      float* aligned = (float*)(((uintptr_t)panels.data() + 63) / 64 * 64);
      kfac_cpu_pack(k, n, b.data(), n, 1, aligned);
      for (double beta : {0., -0.5}) {
        std::vector<float> before = beta == 0 ? std::vector<float>(m * n, NAN) : test::gaussian(random, m * n);
        std::vector<float> whole = before, parts = before;
        auto run = [&](int from, int to, std::vector<float>& out) {
          kfac_cpu_multiply_short(to - from, n, k, a.data() + from, m, aligned, 1. / 3, beta, out.data() + from * n, n);
        };
        run(0, m, whole);
        run(0, 5, parts);
        run(5, m, parts);
        double u = 0x1p-24, worst = 0;
        for (int i = 0; i < m * n; i++) {
          double sum = k / 3. * x[i / n] * y[i % n], old = beta == 0 ? 0 : beta * before[i];
          double unit = u * (std::fabs(sum) + std::fabs(old));
          worst = std::max(worst, std::fabs(whole[i] - (sum + old)) / unit);
        }
        char text[100];
        std::snprintf(text, sizeof text, "%d terms, %d columns, beta %g: %g units", k, n, beta, worst);
        // fp32 adds t terms: each partial sum of j of them is off by j units at most; and two roundings of the result
        int terms = k < 362 ? std::max(2, k * k / 2048) : 64;
        test::expect(worst <= (terms + 1) / 2. + 2, text);
        test::expect(whole == parts, std::string(text) + ": the cut changes bits");
      }
    }
  }
}

KFAC_TEST(transposes_of_parts) {
  std::mt19937 random(8);
  for (int rows : {1, 7, 16, 33}) {
    for (int cols : {0, 1, 15, 32, 50}) {
      int from_stride = cols + 3, to_stride = rows + 2;
      std::vector<float> a = test::gaussian(random, (size_t)rows * from_stride);
      std::vector<float> expected = test::gaussian(random, (size_t)(cols + 1) * to_stride), b = expected;
      for (int i = 0; i < rows; i++) {
        for (int j = 0; j < cols; j++) expected[j * to_stride + i] = a[i * from_stride + j];
      }
      kfac_cpu_transpose(rows, cols, a.data(), from_stride, b.data(), to_stride);
      test::expect(b == expected, "transpose of " + std::to_string(rows) + " x " + std::to_string(cols));
    }
  }
}
