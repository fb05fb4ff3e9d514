#include "dense.h"
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
          CHECK(out[(c * s.columns + k) * s.rows + r] == in[(c * s.rows + r) * s.columns + k], "%d x %d", s.rows,
                s.columns);
  }
}

TEST(traces_of_stacks) {
  for (int n : {1, 13, 300}) {
    const int count = 3;
    const std::vector<float> values = normals(size_t(count) * n * n);
    Device<float> matrix(values);
    Device<double> traces(count);
    call(kfac_traces_workspace, kfac_traces, std::vector<kfac_traces_request>{{matrix.get(), traces.get(), n, count}});
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
