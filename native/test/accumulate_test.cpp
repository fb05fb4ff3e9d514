#include "cases.h"
#include "large.h"
using namespace test;

namespace {

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
      for (int rows : {n == 207 ? 37 : 70 + n, n == 207 ? 257 : 330 + n})
        cases.push_back(std::make_unique<Case>(matrix(rows, n, bias), 0.25f, i++ / 2 % 2 ? 0.95f : 0.0f));
  cases.push_back(std::make_unique<Case>(matrix(1, 130, 0), 1.0f, 0.5f));
  check(cases, TOLERANCE);
}

TEST(accumulate_convolutions) {
  std::vector<std::unique_ptr<Case>> cases;
  for (const Conv& conv : convolutions())
    for (const Conv& c : {conv, many(conv)}) cases.push_back(std::make_unique<Case>(c, 1.0f / c.batch, 0.95f));
  check(cases, TOLERANCE);
}

TEST(accumulate_gradients) {
  std::vector<std::unique_ptr<Case>> cases;
  for (int groups : {1, 2}) {
    for (const Conv& c : {gradients(3, 10, 21, groups), gradients(2, 134, 33, groups)}) {
      cases.push_back(std::make_unique<Case>(c, 1.0f, 0.0f));
      cases.push_back(std::make_unique<Case>(many(c), 1.0f, 0.0f));
    }
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
      for (const Conv& c : {small, many(small)}) cases.push_back(std::make_unique<Case>(c, 1.0f, 0.5f));
      for (const Conv& c : {large, many(large)}) cases.push_back(std::make_unique<Case>(c, 1.0f, 0.0f));
    }
  check(cases, TOLERANCE);
}

// Patches that are columns of padded images, in tiles of both sizes: several images to a step, strides, dilations,
// kernels that are no squares, groups, channels that are no multiple of eight.
TEST(accumulate_windows) {
  std::vector<std::unique_ptr<Case>> cases;
  for (int dtype : {KFAC_F32, KFAC_BF16, KFAC_F16})
    for (Layout layout : {NCHW, NHWC}) {
      auto add = [&](Conv conv, float decay) {
        conv.dtype = dtype;
        conv.layout = layout;
        cases.push_back(std::make_unique<Case>(many(conv), 0.5f, decay));
      };
      add({.batch = 1,
           .channels = 20,
           .height = 5,
           .width = 4,
           .kernel_height = 3,
           .kernel_width = 3,
           .padding_height = 1,
           .padding_width = 1,
           .bias = 1},
          0.95f);
      add({.batch = 1,
           .channels = 16,
           .height = 7,
           .width = 9,
           .kernel_height = 2,
           .kernel_width = 3,
           .stride_height = 2,
           .stride_width = 1,
           .padding_height = 0,
           .padding_width = 2,
           .dilation_height = 3,
           .dilation_width = 2,
           .groups = 2},
          0.0f);
      add({.batch = 1,
           .channels = 8,
           .height = 6,
           .width = 40,
           .kernel_height = 1,
           .kernel_width = 5,
           .stride_height = 1,
           .stride_width = 2},
          0.5f);
      add({.batch = 1,
           .channels = 7,
           .height = 3,
           .width = 2,
           .kernel_height = 3,
           .kernel_width = 2,
           .padding_height = 1,
           .bias = 1},
          0.0f);
    }
  check(cases, TOLERANCE);
}

// Samples of 16 bits that need no copy.
TEST(accumulate_in_place) {
  std::vector<std::unique_ptr<Case>> cases;
  for (int dtype : {KFAC_BF16, KFAC_F16}) {
    auto add = [&](Conv conv) {
      conv.dtype = dtype;
      conv.layout = NHWC;
      cases.push_back(std::make_unique<Case>(many(conv), 1.0f, 0.0f));
    };
    add(matrix(1, 136, 0));
    add(matrix(1, 24, 0));
    add({.batch = 1, .channels = 16, .height = 5, .width = 6, .groups = 2});
    add({.batch = 1, .channels = 16, .height = 6, .width = 5, .stride_height = 2, .stride_width = 2});
    add({.batch = 1, .channels = 16, .height = 6, .width = 5, .kernel_height = 3, .kernel_width = 3});
  }
  check(cases, TOLERANCE);
}

// Equal rows round alike: added up in fp32, 32 of them have five times the error of one rounding, 1024 of them 68
// times.
TEST(accumulate_few_rows_round_once) {
  for (int rows : {1, 3, 32, 256})
    for (bool constant : {true, false}) {
      const int n = 70;
      const std::vector<float> row = normals(n);
      std::vector<float> values = normals(size_t(rows) * n);
      if (constant)
        for (size_t i = 0; i < values.size(); ++i) values[i] = row[i % n];
      for (float beta : {0.0f, 0.95f}) {
        std::vector<std::unique_ptr<Case>> cases;
        cases.push_back(std::make_unique<Case>(matrix(rows, n, 0), values, 0.3f, beta));
        run(cases, KFAC_SPLIT_F16);
        const std::vector<float> m = cases[0]->moment.host();
        const std::vector<double> expected = cases[0]->expected();
        for (size_t i = 0; i < m.size(); ++i)
          CHECK(std::fabs(m[i] - expected[i]) <= 0x1.00001p-24 * std::fabs(expected[i]) + 1e-15,
                "%d rows: %.9g, not %.12g", rows, m[i], expected[i]);
      }
    }
}

// Beyond, an input is two fp16 numbers, tensor cores truncate, and as many as 42 sums of 96 rows are added up in fp32,
// where there are tiles enough for all multiprocessors; else fewer. All of that is alike for equal rows: up to 23 u for
// three million pairs of normal numbers.
TEST(accumulate_equal_rows_do_not_drift) {
  struct Shape {
    int rows, groups;
  };
  for (const Shape shape : {Shape{257, 1}, {4032, 1}, {4032, 133}}) {
    const int n = 8;
    const int channels = n * shape.groups;
    std::vector<float> row = normals(channels), values(size_t(shape.rows) * channels);
    for (float& x : row) x = std::copysign(std::max(std::fabs(x), 1e-3f), x);  // less has fewer digits beside the rest
    for (size_t i = 0; i < values.size(); ++i) values[i] = row[i % row.size()];
    Device<float> data(values), moment(size_t(shape.groups) * n * n);
    kfac_samples r{};
    r.data = data.get();
    r.groups = shape.groups, r.batch = shape.rows, r.channels = channels, r.height = r.width = 1;
    r.batch_stride = channels, r.channel_stride = 1;
    r.kernel_height = r.kernel_width = r.stride_height = r.stride_width = r.dilation_height = r.dilation_width = 1;
    const kfac_accumulate_request request{r, moment.get(), 1.0f / shape.rows, 0.0f};
    Workspace workspace(kfac_accumulate_workspace(&request, 1, KFAC_SPLIT_F16));
    {
      // in the emulation the last group, whose planes are 42 blocks
      const std::unique_ptr<LastBlocks> last(shape.groups > 1 ? new LastBlocks(42) : nullptr);
      CALL(kfac_accumulate(&request, 1, KFAC_SPLIT_F16, workspace.get(), workspace.bytes(), nullptr));
    }
    const std::vector<float> m = moment.host();
    const float weight = 1.0f / shape.rows;
    for (int i = 0; i < n; ++i)
      for (int j = 0; j < n; ++j) {
        const int first = (shape.groups - 1) * n;
        const double expected = double(weight) * shape.rows * row[first + i] * double(row[first + j]);
        const double units = std::fabs(m[size_t(first + i) * n + j] - expected) / (0x1p-24 * std::fabs(expected));
        CHECK(units <= 25, "%d rows, %d groups: %g u", shape.rows, shape.groups, units);
      }
  }
}

TEST(accumulate_many_rows_in_chunks) {
  std::vector<std::unique_ptr<Case>> cases;
  cases.push_back(std::make_unique<Case>(matrix(4500, 3, 1), 1.0f, 0.5f));
  cases.push_back(std::make_unique<Case>(gradients(50, 70, 50, 2), 1.0f, 0.0f));
  Conv nhwc{.batch = 30,
            .channels = 3,
            .height = 9,
            .width = 9,
            .kernel_height = 2,
            .kernel_width = 2,
            .bias = 1,
            .layout = NHWC};
  nhwc.batch = 60;
  cases.push_back(std::make_unique<Case>(nhwc, 1.0f, 0.5f));
  check(cases, TOLERANCE);
}

// Values far outside the range of fp16, and magnitudes that grow and fall by orders along the rows.
TEST(accumulate_extreme_magnitudes) {
  std::vector<std::unique_ptr<Case>> cases;
  for (int rows : {100, 300}) {
    for (float magnitude : {1e-18f, 1e-9f, 1e9f, 1e18f})
      cases.push_back(std::make_unique<Case>(matrix(rows, 33, 0), normals(rows * 33, magnitude), 1.0f, 0.0f));
    for (double slope : {30.0 / rows, -30.0 / rows}) {
      std::vector<float> ramp = normals(rows * 13);
      for (int r = 0; r < rows; ++r)
        for (int j = 0; j < 13; ++j) ramp[r * 13 + j] *= float(std::pow(10.0, slope * (r - rows / 2)));
      cases.push_back(std::make_unique<Case>(matrix(rows, 13, 0), ramp, 1.0f, 0.0f));
    }
  }
  cases.push_back(std::make_unique<Case>(matrix(50, 5, 0), std::vector<float>(250, 0.0f), 1.0f, 0.5f));
  check(cases, TOLERANCE);
}

TEST(accumulate_not_finite) {
  for (int math : MATHS)
    for (int rows : {40, 300})
      for (float bad : {NAN, INFINITY}) {
        std::vector<float> values = normals(rows * 70);
        values[11 * 70 + 66] = bad;
        std::vector<std::unique_ptr<Case>> cases;
        cases.push_back(std::make_unique<Case>(matrix(rows, 70, 0), values, 1.0f, 0.0f));
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
  kfac_samples r{};
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
