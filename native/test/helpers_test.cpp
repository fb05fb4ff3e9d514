#include "dense.h"
#include "image.h"
using namespace test;

namespace {

template <class Request>
void call(long long (*query)(const Request*, int), int (*verb)(const Request*, int, void*, long long, kfac_stream),
          const std::vector<Request>& requests) {
  Workspace workspace(query(requests.data(), int(requests.size())));
  CALL(verb(requests.data(), int(requests.size()), workspace.get(), workspace.bytes(), nullptr));
}

}  // namespace

TEST(pack_and_unpack) {
  std::vector<std::unique_ptr<Device<float>>> fulls, packeds, copies;
  std::vector<std::vector<float>> values;
  std::vector<kfac_pack_request> pack, unpack;
  const int count = 3, sizes[] = {1, 2, 13, 32, 33, 64, 207};
  for (int n : sizes) {
    std::vector<float> v;
    for (int c = 0; c < count; ++c)
      for (float x : factor_matrix(n, n, 0)) v.push_back(x);
    const size_t triangle = size_t(n) * (n + 1) / 2;
    values.push_back(v);
    fulls.push_back(std::make_unique<Device<float>>(v));
    packeds.push_back(std::make_unique<Device<float>>(count * triangle));
    copies.push_back(std::make_unique<Device<float>>(v.size()));
    pack.push_back({fulls.back()->get(), packeds.back()->get(), n, count});
    unpack.push_back({copies.back()->get(), packeds.back()->get(), n, count});
  }
  call(kfac_pack_workspace, kfac_pack, pack);
  call(kfac_unpack_workspace, kfac_unpack, unpack);
  for (size_t i = 0; i < values.size(); ++i) {
    const int n = sizes[i];
    const std::vector<float> packed = packeds[i]->host();
    for (int c = 0; c < count; ++c)
      for (int r = 0; r < n; ++r)
        for (int k = 0; k <= r; ++k)
          CHECK(packed[c * (n * (n + 1) / 2) + r * (r + 1) / 2 + k] == values[i][(c * n + r) * n + k], "%d", n);
    CHECK(same_bits(copies[i]->host(), values[i]), "round trip, n %d", n);
  }
}

TEST(transpose_shapes) {
  struct Shape {
    int rows, columns, count;
  };
  const Shape shapes[] = {{1, 1, 2}, {13, 1, 1}, {1, 45, 3}, {32, 32, 1}, {33, 70, 2}, {0, 5, 1}};
  std::vector<std::unique_ptr<Device<float>>> ins, outs;
  std::vector<kfac_transpose_request> requests;
  for (const Shape& s : shapes) {
    const size_t size = size_t(s.rows) * s.columns * s.count;
    ins.push_back(std::make_unique<Device<float>>(normals(size)));
    outs.push_back(std::make_unique<Device<float>>(size));
    requests.push_back({ins.back()->get(), outs.back()->get(), s.rows, s.columns, s.count});
  }
  call(kfac_transpose_workspace, kfac_transpose, requests);
  for (size_t i = 0; i < ins.size(); ++i) {
    const Shape s = shapes[i];
    const std::vector<float> in = ins[i]->host(), out = outs[i]->host();
    for (int c = 0; c < s.count; ++c)
      for (int r = 0; r < s.rows; ++r)
        for (int k = 0; k < s.columns; ++k)
          CHECK(out[(c * s.columns + k) * s.rows + r] == in[(c * s.rows + r) * s.columns + k], "%d x %d", s.rows, s.columns);
  }
}

TEST(trace_of_stacks) {
  for (int n : {1, 13, 300}) {
    const int count = 3;
    const std::vector<float> values = normals(size_t(count) * n * n);
    Device<float> matrix(values);
    Device<double> traces(count);
    call(kfac_trace_workspace, kfac_trace, std::vector<kfac_trace_request>{{matrix.get(), traces.get(), n, count}});
    for (int c = 0; c < count; ++c) {
      double expected = 0;
      for (int i = 0; i < n; ++i) expected += values[(size_t(c) * n + i) * n + i];
      CHECK(std::fabs(traces.host()[c] - expected) <= 1e-12 * n, "n %d: %.17g %.17g", n, traces.host()[c], expected);
    }
  }
}

TEST(factored_damping_values) {
  Device<double> a(std::vector<double>{8.0, 0.0, 3.0, 5.0}), g(std::vector<double>{6.0, 2.0, 0.0, -1.0});
  Device<float> damping_a(4), damping_g(4);
  call(kfac_factored_damping_workspace, kfac_factored_damping,
       std::vector<kfac_factored_damping_request>{
           {a.get(), g.get(), damping_a.get(), damping_g.get(), 2.0, 4.0, 0.25, 4, 6, 4}});
  // pi = sqrt((2 * 8 / 4) / (4 * 6 / 6)) = 1; without a positive trace pi = 1, too
  for (int i = 0; i < 4; ++i) CHECK(damping_a.host()[i] == 0.5f && damping_g.host()[i] == 0.5f, "%d", i);
  call(kfac_factored_damping_workspace, kfac_factored_damping,
       std::vector<kfac_factored_damping_request>{
           {a.get(), g.get(), damping_a.get(), damping_g.get(), 18.0, 4.0, 0.25, 4, 6, 1}});
  CHECK(damping_a.host()[0] == 1.5f && damping_g.host()[0] == float(0.5 / 3.0));
}

TEST(ema_and_scale) {
  std::vector<std::unique_ptr<Device<float>>> xs, ys;
  std::vector<std::vector<float>> x_values, y_values;
  std::vector<kfac_ema_request> requests;
  std::vector<kfac_scale_request> scales;
  Device<float> factor(std::vector<float>{0.5f});
  for (long long size : {0, 1, 1000, 1024, 5000}) {
    for (float beta : {0.0f, 0.75f}) {
      x_values.push_back(normals(size));
      y_values.push_back(normals(size));
      xs.push_back(std::make_unique<Device<float>>(x_values.back()));
      ys.push_back(std::make_unique<Device<float>>(size));
      if (beta != 0) ys.back()->set(y_values.back());  // else NaN, which must not be read
      requests.push_back({xs.back()->get(), ys.back()->get(), size, 0.5f, beta});
      scales.push_back({xs.back()->get(), factor.get(), size});
    }
  }
  call(kfac_ema_workspace, kfac_ema, requests);
  call(kfac_scale_workspace, kfac_scale, scales);
  for (size_t i = 0; i < xs.size(); ++i) {
    const std::vector<float> x = xs[i]->host(), y = ys[i]->host();
    for (size_t j = 0; j < x.size(); ++j) {
      const double expected = 0.5 * x_values[i][j] + requests[i].beta * y_values[i][j];
      CHECK(std::fabs(y[j] - expected) <= 1e-6, "size %zu", x.size());
      CHECK(x[j] == 0.5f * x_values[i][j], "size %zu", x.size());
    }
  }
}

TEST(finite_finds_the_first) {
  std::vector<std::unique_ptr<Device<unsigned char>>> xs;
  std::vector<kfac_finite_request> requests;
  std::vector<long long> expected;
  const long long size = 3001;
  const std::vector<std::vector<long long>> places = {{}, {0}, {size - 1}, {2999, 1500}, {1023, 1024}};
  Device<long long> first(3 * places.size() + 1);
  for (int dtype : {KFAC_F32, KFAC_BF16, KFAC_F16})
    for (const auto& bad : places) {
      const int width = dtype == KFAC_F32 ? 4 : 2;
      std::vector<unsigned char> bytes(size * width);
      for (long long i = 0; i < size; ++i) {
        float v = i % 2 ? 60000.0f : -1e-7f;
        for (size_t b = 0; b < bad.size(); ++b)
          if (bad[b] == i) v = b % 2 ? NAN : -INFINITY;
        const uint16_t bits = dtype == KFAC_BF16 ? to_bfloat(v) : to_half(v);
        if (dtype == KFAC_F32) std::memcpy(&bytes[4 * i], &v, 4);
        else std::memcpy(&bytes[2 * i], &bits, 2);
      }
      xs.push_back(std::make_unique<Device<unsigned char>>(bytes));
      requests.push_back({xs.back()->get(), first.get() + requests.size(), size, dtype});
      expected.push_back(bad.empty() ? -1 : *std::min_element(bad.begin(), bad.end()));
    }
  requests.push_back({nullptr, first.get() + requests.size(), 0, KFAC_F32});
  expected.push_back(-1);
  call(kfac_finite_workspace, kfac_finite, requests);
  for (size_t i = 0; i < expected.size(); ++i)
    CHECK(first.host()[i] == expected[i], "%zu: %lld, expected %lld", i, first.host()[i], expected[i]);
}

TEST(kl_clip_factor) {
  Device<float> factor(1);
  auto clip = [&](std::vector<double> inners, double kappa, double rate) {
    Device<double> device(inners);
    CALL(kfac_kl_clip(device.get(), int(inners.size()), kappa, rate, factor.get(), nullptr));
    return factor.host()[0];
  };
  std::vector<double> many(1000);
  for (double& x : many) x = 4.0;
  CHECK(clip({1.0, 3.0}, 1e-2, 0.1) == float(std::sqrt(1e-2 / (0.1 * 0.1 * 4.0))));
  CHECK(clip(many, 1.0, 1.0) == float(std::sqrt(1.0 / 4000.0)));
  CHECK(clip({1e-9}, 1e-2, 0.1) == 1.0f);
  CHECK(clip({}, 1e-2, 0.1) == 1.0f);
  CHECK(clip({2.0, -3.0}, 1e-2, 0.1) == 1.0f);
  CHECK(std::isnan(clip({NAN}, 1e-2, 0.1)));
  CHECK(std::isnan(clip({INFINITY}, 1e-2, 0.1)));
}

TEST(divide_and_inner_product) {
  const size_t sizes[] = {1, 255, 1024, 3001};
  std::vector<std::unique_ptr<Device<float>>> moments, xs;
  std::vector<std::vector<float>> before;
  Device<double> inners(4);
  std::vector<kfac_divide_request> requests;
  for (size_t size : sizes) {
    std::vector<float> m = normals(size);
    for (float& x : m) x *= x;
    before.push_back(normals(size));
    moments.push_back(std::make_unique<Device<float>>(m));
    xs.push_back(std::make_unique<Device<float>>(before.back()));
    requests.push_back({moments.back()->get(), xs.back()->get(), inners.get() + requests.size(), 2.0, 0.5, (long long)size});
  }
  call(kfac_divide_workspace, kfac_divide, requests);
  for (size_t i = 0; i < before.size(); ++i) {
    const std::vector<float> m = moments[i]->host();
    std::vector<double> expected;
    double inner = 0;
    for (size_t k = 0; k < m.size(); ++k) {
      expected.push_back(before[i][k] / (2.0 * m[k] + 0.5));
      inner += before[i][k] * expected.back();
    }
    CHECK(error(xs[i]->host(), expected) <= 1e-7, "size %zu", m.size());
    CHECK(std::fabs(inners.host()[i] - inner) <= 1e-7 * inner, "size %zu", m.size());
  }
}

TEST(squares_of_many_terms) {
  struct Shape {
    int terms, size;
    float beta;
  };
  const Shape shapes[] = {{1, 1, 0.0f}, {7, 300, 0.5f}, {0, 5, 0.5f}, {64, 2000, 0.0f}};
  std::vector<std::unique_ptr<Device<float>>> xs, ys;
  std::vector<std::vector<float>> before;
  std::vector<kfac_squares_request> requests;
  for (const Shape& s : shapes) {
    before.push_back(s.beta == 0.0f ? std::vector<float>(s.size, NAN) : normals(s.size));
    xs.push_back(std::make_unique<Device<float>>(normals(size_t(s.terms) * s.size)));
    ys.push_back(std::make_unique<Device<float>>(before.back()));
    requests.push_back({xs.back()->get(), ys.back()->get(), s.terms, s.size, 0.25f, s.beta});
  }
  call(kfac_squares_workspace, kfac_squares, requests);
  for (size_t i = 0; i < requests.size(); ++i) {
    const Shape s = shapes[i];
    const std::vector<float> x = xs[i]->host();
    std::vector<double> expected(s.size);
    for (int k = 0; k < s.size; ++k) {
      for (int t = 0; t < s.terms; ++t) expected[k] += 0.25 * x[size_t(t) * s.size + k] * x[size_t(t) * s.size + k];
      if (s.beta != 0.0f) expected[k] += s.beta * before[i][k];
    }
    CHECK(error(ys[i]->host(), expected) <= 1e-6, "%d terms of %d", s.terms, s.size);
  }
}
