#include "image.h"
using namespace test;

namespace {

constexpr int MATHS[] = {KFAC_SPLIT_F16, KFAC_FFMA};

// Truncated sums of 128 terms; without the promotion of sums some of these cases reach 2e-6.
constexpr double TOLERANCE = 8e-7;

std::vector<double> moments(const Image& image, const std::vector<float>& before, double alpha, double beta) {
  const Conv& c = image.conv;
  const std::vector<double> p = image.patches();
  const long long rows = c.rows();
  const int n = c.columns();
  std::vector<double> m(size_t(c.groups) * n * n, 0.0);
  for (int g = 0; g < c.groups; ++g) {
    double* moment = &m[size_t(g) * n * n];
    for (long long r = 0; r < rows; ++r) {
      const double* x = &p[(g * rows + r) * n];
      for (int i = 0; i < n; ++i)
        for (int j = 0; j < n; ++j) moment[i * n + j] += alpha * x[i] * x[j];
    }
    if (beta != 0)
      for (int i = 0; i < n * n; ++i) moment[i] += beta * before[size_t(g) * n * n + i];
  }
  return m;
}

struct Case {
  Case(const Conv& conv, std::vector<float> values, float alpha, float beta)
      : image(conv, std::move(values)), alpha(alpha), beta(beta),
        before(size_t(conv.groups) * conv.columns() * conv.columns()), moment(before.size()) {
    const int n = conv.columns();
    if (beta != 0)
      for (int g = 0; g < conv.groups; ++g)
        for (int i = 0; i < n; ++i)
          for (int j = 0; j <= i; ++j)
            before[(size_t(g) * n + i) * n + j] = before[(size_t(g) * n + j) * n + i] = normal();
    reset();
  }
  Case(const Conv& conv, float alpha, float beta)
      : Case(conv, normals(size_t(conv.batch) * conv.channels * conv.height * conv.width), alpha, beta) {}

  void reset() {
    if (beta != 0) moment.set(before);
    else moment.set(std::vector<float>(before.size(), NAN));
  }
  kfac_accumulate_request request() const { return {image.request(), moment.get(), alpha, beta}; }
  std::vector<double> expected() const { return moments(image, before, alpha, beta); }

  Image image;
  float alpha, beta;
  std::vector<float> before;
  Device<float> moment;
};

void run(const std::vector<std::unique_ptr<Case>>& cases, int math) {
  std::vector<kfac_accumulate_request> requests;
  for (const auto& c : cases) {
    c->reset();
    requests.push_back(c->request());
  }
  Workspace workspace(kfac_accumulate_workspace(requests.data(), int(requests.size()), math));
  CALL(kfac_accumulate(requests.data(), int(requests.size()), math, workspace.get(), workspace.bytes(), nullptr));
}

void check(const std::vector<std::unique_ptr<Case>>& cases, double tolerance) {
  for (int math : MATHS) {
    run(cases, math);
    std::vector<std::vector<float>> first;
    for (const auto& c : cases) {
      first.push_back(c->moment.host());
      const double e = error(first.back(), c->expected());
      CHECK(e <= tolerance, "%s math %d: error %g", c->image.conv.name().c_str(), math, e);
      const int n = c->image.conv.columns();
      for (int g = 0; g < c->image.conv.groups; ++g)
        CHECK(symmetric(&first.back()[size_t(g) * n * n], n), "%s", c->image.conv.name().c_str());
    }
    run(cases, math);
    for (size_t i = 0; i < cases.size(); ++i)
      CHECK(same_bits(first[i], cases[i]->moment.host()), "%s", cases[i]->image.conv.name().c_str());
  }
}

// [rows, n], stored with a leading dimension
Conv matrix(int rows, int n, int bias) { return {.batch = rows, .channels = n, .height = 1, .width = 1, .bias = bias}; }
// [N, C, T]
Conv gradients(int batch, int channels, int positions, int groups) {
  return {.batch = batch, .channels = channels, .height = 1, .width = positions, .groups = groups};
}

}  // namespace

TEST(accumulate_matrices) {
  std::vector<std::unique_ptr<Case>> cases;
  int i = 0;
  for (int n : {1, 2, 13, 64, 207})
    for (int bias : {0, 1})
      cases.push_back(std::make_unique<Case>(matrix(n == 207 ? 37 : 70 + n, n, bias), 0.25f, i++ % 2 ? 0.95f : 0.0f));
  cases.push_back(std::make_unique<Case>(matrix(1, 130, 0), 1.0f, 0.5f));
  check(cases, TOLERANCE);
}

TEST(accumulate_convolutions) {
  std::vector<std::unique_ptr<Case>> cases;
  for (const Conv& conv : convolutions()) cases.push_back(std::make_unique<Case>(conv, 1.0f / conv.batch, 0.95f));
  check(cases, TOLERANCE);
}

TEST(accumulate_gradients) {
  std::vector<std::unique_ptr<Case>> cases;
  for (int groups : {1, 2}) {
    cases.push_back(std::make_unique<Case>(gradients(3, 10, 21, groups), 1.0f, 0.0f));
    cases.push_back(std::make_unique<Case>(gradients(2, 134, 33, groups), 1.0f, 0.0f));
  }
  check(cases, TOLERANCE);
}

TEST(accumulate_16_bit) {
  std::vector<std::unique_ptr<Case>> cases;
  for (int dtype : {KFAC_BF16, KFAC_F16})
    for (Layout layout : {NCHW, NHWC}) {
      Conv small = convolutions()[1], large = convolutions()[3];
      small.dtype = large.dtype = dtype;
      small.layout = large.layout = layout;
      cases.push_back(std::make_unique<Case>(small, 1.0f, 0.5f));
      cases.push_back(std::make_unique<Case>(large, 1.0f, 0.0f));
    }
  check(cases, TOLERANCE);
}

TEST(accumulate_many_rows_in_chunks) {
  std::vector<std::unique_ptr<Case>> cases;
  cases.push_back(std::make_unique<Case>(matrix(4500, 3, 1), 1.0f, 0.5f));
  cases.push_back(std::make_unique<Case>(gradients(50, 70, 50, 2), 1.0f, 0.0f));
  Conv nhwc{.batch = 30, .channels = 3, .height = 9, .width = 9, .kernel_height = 2, .kernel_width = 2, .bias = 1,
            .layout = NHWC};
  nhwc.batch = 60;
  cases.push_back(std::make_unique<Case>(nhwc, 1.0f, 0.5f));
  check(cases, TOLERANCE);
}

// Values far outside the range of fp16, and magnitudes that grow and fall by orders along the rows.
TEST(accumulate_extreme_magnitudes) {
  std::vector<std::unique_ptr<Case>> cases;
  for (float magnitude : {1e-18f, 1e-9f, 1e9f, 1e18f})
    cases.push_back(std::make_unique<Case>(matrix(100, 33, 0), normals(3300, magnitude), 1.0f, 0.0f));
  for (double slope : {0.15, -0.15}) {
    std::vector<float> ramp = normals(200 * 13);
    for (int r = 0; r < 200; ++r)
      for (int j = 0; j < 13; ++j) ramp[r * 13 + j] *= float(std::pow(10.0, slope * (r - 100)));
    cases.push_back(std::make_unique<Case>(matrix(200, 13, 0), ramp, 1.0f, 0.0f));
  }
  cases.push_back(std::make_unique<Case>(matrix(50, 5, 0), std::vector<float>(250, 0.0f), 1.0f, 0.5f));
  check(cases, TOLERANCE);
}

TEST(accumulate_not_finite) {
  for (int math : MATHS)
    for (float bad : {NAN, INFINITY}) {
      std::vector<float> values = normals(40 * 70);
      values[11 * 70 + 66] = bad;
      std::vector<std::unique_ptr<Case>> cases;
      cases.push_back(std::make_unique<Case>(matrix(40, 70, 0), values, 1.0f, 0.0f));
      run(cases, math);
      const std::vector<float> m = cases[0]->moment.host();
      for (int j = 0; j < 70; ++j) CHECK(!std::isfinite(m[66 * 70 + j]), "column %d", j);
      for (int i = 0; i < 66; ++i)
        for (int j = 0; j < 66; ++j) CHECK(std::isfinite(m[i * 70 + j]), "%d %d", i, j);
    }
}

TEST(accumulate_no_rows) {
  std::vector<std::unique_ptr<Case>> cases;
  cases.push_back(std::make_unique<Case>(matrix(0, 5, 1), 1.0f, 0.5f));
  cases.push_back(std::make_unique<Case>(matrix(0, 5, 1), 1.0f, 0.0f));
  check(cases, 0);
}

TEST(accumulate_leading_dimension) {
  const int rows = 45, n = 12, pitch = 17;
  const std::vector<float> values = normals(rows * pitch);
  Device<float> data(values), moment(n * n);
  kfac_rows r{};
  r.data = data.get();
  r.groups = 1;
  r.batch = rows, r.channels = n, r.height = r.width = 1;
  r.batch_stride = pitch, r.channel_stride = 1;
  r.kernel_height = r.kernel_width = r.stride_height = r.stride_width = r.dilation_height = r.dilation_width = 1;
  const kfac_accumulate_request request{r, moment.get(), 1.0f, 0.0f};
  Workspace workspace(kfac_accumulate_workspace(&request, 1, KFAC_SPLIT_F16));
  CALL(kfac_accumulate(&request, 1, KFAC_SPLIT_F16, workspace.get(), workspace.bytes(), nullptr));
  std::vector<double> expected(n * n);
  for (int k = 0; k < rows; ++k)
    for (int i = 0; i < n; ++i)
      for (int j = 0; j < n; ++j) expected[i * n + j] += double(values[k * pitch + i]) * values[k * pitch + j];
  CHECK(error(moment.host(), expected) <= TOLERANCE);
}
