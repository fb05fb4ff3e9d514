// Samples whose moments are known by definition, and what checks them.
#pragma once
#include "image.h"

namespace test {

constexpr int MATHS[] = {KFAC_SPLIT_F16, KFAC_FFMA};

// Truncated sums of 128 terms; without the promotion of sums some of these cases reach 2e-6.
constexpr double TOLERANCE = 8e-7;

inline std::vector<double> moments(const Image& image, const std::vector<float>& before, double alpha, double beta) {
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

inline void run(const std::vector<std::unique_ptr<Case>>& cases, int math) {
  std::vector<kfac_accumulate_request> requests;
  for (const auto& c : cases) {
    c->reset();
    requests.push_back(c->request());
  }
  Workspace workspace(kfac_accumulate_workspace(requests.data(), int(requests.size()), math));
  CALL(kfac_accumulate(requests.data(), int(requests.size()), math, workspace.get(), workspace.bytes(), nullptr));
}

inline void check(const std::vector<std::unique_ptr<Case>>& cases, double tolerance,
                  const std::vector<int>& maths = {KFAC_SPLIT_F16, KFAC_FFMA}) {
  for (int math : maths) {
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

// With enough examples that its rows are not few, which are another kernel's.
inline Conv many(Conv conv) {
  const int positions = int(conv.rows() / conv.batch);
  conv.batch = 257 / positions + 1;
  return conv;
}

}  // namespace test
