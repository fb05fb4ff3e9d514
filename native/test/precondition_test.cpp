#include "dense.h"
using namespace test;

namespace {

struct Layer {
  Layer(int out, int in, bool bias, int groups, float g_scale = 1.0f, float a_scale = 1.0f, float d_scale = 1.0f)
      : out(out), in(in), groups(groups), bias(bias), o(out / groups), n(in + bias), g(inverses(groups, o, g_scale)),
        a(inverses(groups, n, a_scale)), w(normals(size_t(out) * in, d_scale)), b(normals(bias ? out : 0, d_scale)),
        g_device(g), a_device(a), w_device(w), b_device(b), w_result(w.size()), b_result(b.size()), inner(1),
        g_norms(groups), a_norms(groups), norms(2) {}

  static std::vector<float> inverses(int count, int n, float scale) {
    std::vector<float> all;
    for (int c = 0; c < count; ++c)
      for (float x : factor_matrix(n, n, 1)) all.push_back(x * scale);
    if (n > 1) all[1] *= 3;  // not quite symmetric: the two sides are not to be mixed up
    return all;
  }
  kfac_precondition_request request(bool in_place) const {
    return {g_device.get(),
            a_device.get(),
            w_device.get(),
            bias ? b_device.get() : nullptr,
            in_place ? w_device.get() : w_result.get(),
            !bias      ? nullptr
            : in_place ? b_device.get()
                       : b_result.get(),
            inner.get(),
            groups,
            out,
            in,
            SCALE,
            g_norms.get(),
            a_norms.get(),
            norms.get()};
  }
  static constexpr float SCALE = 0.75f;
  double gradient(int i, int j) const { return j < in ? w[size_t(i) * in + j] : b[i]; }

  // [out, n] in the layout weight | bias, row by row
  std::vector<double> expected(double& inner_product) const {
    std::vector<double> u(size_t(out) * n);
    inner_product = 0;
    for (int group = 0; group < groups; ++group) {
      const float* G = &g[size_t(group) * o * o];
      const float* A = &a[size_t(group) * n * n];
      std::vector<double> product(size_t(o) * n);
      for (int i = 0; i < o; ++i)
        for (int k = 0; k < n; ++k)
          for (int j = 0; j < n; ++j) product[i * n + j] += gradient(group * o + i, k) * A[k * n + j];
      for (int i = 0; i < o; ++i)
        for (int k = 0; k < o; ++k)
          for (int j = 0; j < n; ++j) u[size_t(group * o + i) * n + j] += G[i * o + k] * product[k * n + j];
    }
    for (double& x : u) x *= SCALE;
    for (int i = 0; i < out; ++i)
      for (int j = 0; j < n; ++j) inner_product += u[size_t(i) * n + j] * gradient(i, j);
    return u;
  }
  static double squares(const float* x, size_t size) {
    double sum = 0;
    for (size_t i = 0; i < size; ++i) sum += double(x[i]) * x[i];
    return sum;
  }
  // What a gradient without a direction would become, and U, squared.
  std::vector<double> expected_norms(const std::vector<double>& u) const {
    std::vector<double> sums(2);
    for (int group = 0; group < groups; ++group) {
      const double dw = squares(&w[size_t(group) * o * in], size_t(o) * in) + (bias ? squares(&b[group * o], o) : 0.0);
      sums[0] += SCALE * SCALE * dw * squares(&g[size_t(group) * o * o], size_t(o) * o) / o *
                 squares(&a[size_t(group) * n * n], size_t(n) * n) / n;
    }
    for (double x : u) sums[1] += x * x;
    return sums;
  }
  std::vector<float> result(bool in_place) const {
    const std::vector<float> weight = (in_place ? w_device : w_result).host(),
                             bias_part = (in_place ? b_device : b_result).host();
    std::vector<float> u;
    for (int i = 0; i < out; ++i) {
      u.insert(u.end(), weight.begin() + size_t(i) * in, weight.begin() + size_t(i + 1) * in);
      if (bias) u.push_back(bias_part[i]);
    }
    return u;
  }

  int out, in, groups;
  bool bias;
  int o, n;
  std::vector<float> g, a, w, b;
  Device<float> g_device, a_device, w_device, b_device, w_result, b_result;
  Device<double> inner, g_norms, a_norms, norms;
};

void run(const std::vector<std::unique_ptr<Layer>>& layers, int math, bool in_place) {
  std::vector<kfac_precondition_request> requests;
  std::vector<kfac_squared_norms_request> inverses;
  for (const auto& l : layers) {
    requests.push_back(l->request(in_place));
    inverses.push_back({l->g_device.get(), l->g_norms.get(), l->o, l->groups});
    inverses.push_back({l->a_device.get(), l->a_norms.get(), l->n, l->groups});
  }
  Workspace sums(kfac_squared_norms_workspace(inverses.data(), int(inverses.size())));
  CALL(kfac_squared_norms(inverses.data(), int(inverses.size()), sums.get(), sums.bytes(), nullptr));
  Workspace workspace(kfac_precondition_workspace(requests.data(), int(requests.size()), math));
  CALL(kfac_precondition(requests.data(), int(requests.size()), math, workspace.get(), workspace.bytes(), nullptr));
}

// Errors of U in u = 2^-24: one for each of four operands that become two fp16 numbers, one each for G^-1 dW and U, and
// as many for their sums.
void check(const std::vector<std::unique_ptr<Layer>>& layers) {
  for (int math : {KFAC_SPLIT_F16, KFAC_FFMA}) {
    run(layers, math, false);
    std::vector<std::vector<float>> first;
    std::vector<double> inners;
    std::vector<std::vector<double>> norms;
    for (const auto& l : layers) {
      double inner;
      const std::vector<double> expected = l->expected(inner);
      first.push_back(l->result(false));
      inners.push_back(l->inner.host()[0]);
      const double e = error(first.back(), expected);
      CHECK(e <= 8 * 0x1p-24, "%d x %d bias %d groups %d math %d: error %g", l->out, l->in, l->bias, l->groups, math,
            e);
      CHECK(std::fabs(inners.back() - inner) <= 1e-6 * std::fabs(inner), "%d x %d: <U, dW> %.10g, expected %.10g",
            l->out, l->in, inners.back(), inner);
      norms.push_back(l->norms.host());
      const std::vector<double> squares = l->expected_norms(expected);
      for (int k : {0, 1})
        CHECK(std::fabs(norms.back()[k] - squares[k]) <= (k ? 1e-6 : 1e-12) * squares[k],
              "%d x %d groups %d: norms[%d] %.12g, expected %.12g", l->out, l->in, l->groups, k, norms.back()[k],
              squares[k]);
    }
    run(layers, math, false);
    for (size_t i = 0; i < layers.size(); ++i) {
      CHECK(same_bits(first[i], layers[i]->result(false)));
      CHECK(inners[i] == layers[i]->inner.host()[0]);
      CHECK(same_bits(norms[i], layers[i]->norms.host()));
    }
    run(layers, math, true);
    for (size_t i = 0; i < layers.size(); ++i) {
      CHECK(same_bits(first[i], layers[i]->result(true)), "in place, %d x %d", layers[i]->out, layers[i]->in);
      CHECK(inners[i] == layers[i]->inner.host()[0]);
      CHECK(same_bits(norms[i], layers[i]->norms.host()));
      layers[i]->w_device.set(layers[i]->w);
      layers[i]->b_device.set(layers[i]->b);
    }
  }
}

}  // namespace

TEST(precondition_shapes) {
  std::vector<std::unique_ptr<Layer>> layers;
  layers.push_back(std::make_unique<Layer>(1, 1, false, 1));
  layers.push_back(std::make_unique<Layer>(2, 1, true, 1));
  layers.push_back(std::make_unique<Layer>(10, 13, true, 1));
  layers.push_back(std::make_unique<Layer>(64, 64, false, 1));
  layers.push_back(std::make_unique<Layer>(65, 27, true, 1));
  layers.push_back(std::make_unique<Layer>(12, 9, true, 3));
  layers.push_back(std::make_unique<Layer>(6, 9, false, 6));
  layers.push_back(std::make_unique<Layer>(110, 150, true, 2));
  check(layers);
}

TEST(precondition_large_tiles) {
  std::vector<std::unique_ptr<Layer>> layers;
  layers.push_back(std::make_unique<Layer>(120, 127, true, 1));
  layers.push_back(std::make_unique<Layer>(130, 207, true, 1));
  check(layers);
}

// Inverses as large as 1 / damping and gradients as small as a batch mean makes them.
TEST(precondition_extreme_magnitudes) {
  std::vector<std::unique_ptr<Layer>> layers;
  layers.push_back(std::make_unique<Layer>(20, 30, true, 1, 1e6f, 1e6f, 1e-9f));
  layers.push_back(std::make_unique<Layer>(20, 30, true, 1, 1e-6f, 1e-6f, 1e3f));
  layers.push_back(std::make_unique<Layer>(5, 6, false, 1, 1.0f, 1.0f, 0.0f));
  check(layers);
}

TEST(precondition_norms_are_optional) {
  Layer layer(7, 5, true, 1);
  kfac_precondition_request q = layer.request(false);
  q.g_norms = q.a_norms = nullptr, q.norms = nullptr;
  layer.norms.set({3.0, 5.0});
  Workspace workspace(kfac_precondition_workspace(&q, 1, KFAC_SPLIT_F16));
  CALL(kfac_precondition(&q, 1, KFAC_SPLIT_F16, workspace.get(), workspace.bytes(), nullptr));
  double inner;
  const std::vector<double> expected = layer.expected(inner);
  CHECK(error(layer.result(false), expected) <= 1e-6);
  CHECK(layer.norms.host() == std::vector<double>({3.0, 5.0}));
}

// Layers whose planes take more than 1 GiB together are done one part after another in the same memory.
TEST(precondition_memory) {
  Layer layer(1, 1, false, 1);
  kfac_precondition_request q = layer.request(false);
  q.out = q.in = 2048;  // 84 MB
  const auto bytes = [&](int layers) {
    const std::vector<kfac_precondition_request> all(layers, q);
    return double(kfac_precondition_workspace(all.data(), layers, KFAC_SPLIT_F16));
  };
  const double one = bytes(1), limit = double(1 << 30);
  CHECK(one > 80e6 && bytes(12) > 11.9 * one && bytes(12) < limit);
  CHECK(bytes(100) > limit - one && bytes(100) < 1.01 * limit);
}
