// Element by element, and sums of elements.
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

TEST(scale_by_a_factor_on_the_device) {
  std::vector<std::unique_ptr<Device<float>>> xs;
  std::vector<std::vector<float>> values;
  std::vector<kfac_scale_request> requests;
  Device<float> factor(std::vector<float>{0.5f});
  for (long long size : {0, 1, 1000, 1024, 5000}) {
    values.push_back(normals(size));
    xs.push_back(std::make_unique<Device<float>>(values.back()));
    requests.push_back({xs.back()->get(), factor.get(), size});
  }
  call(kfac_scale_workspace, kfac_scale, requests);
  for (size_t i = 0; i < xs.size(); ++i) {
    const std::vector<float> x = xs[i]->host();
    for (size_t j = 0; j < x.size(); ++j) CHECK(x[j] == 0.5f * values[i][j], "size %zu", x.size());
  }
}

TEST(first_non_finite_of_arrays) {
  std::vector<std::unique_ptr<Device<unsigned char>>> xs;
  std::vector<kfac_first_non_finite_request> requests;
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
  call(kfac_first_non_finite_workspace, kfac_first_non_finite, requests);
  for (size_t i = 0; i < expected.size(); ++i)
    CHECK(first.host()[i] == expected[i], "%zu: %lld, expected %lld", i, first.host()[i], expected[i]);
}

TEST(divide_and_inner_product) {
  const size_t sizes[] = {1, 255, 1024, 3001};
  std::vector<std::unique_ptr<Device<float>>> moments;
  std::vector<std::unique_ptr<Device<double>>> wide, xs;
  std::vector<std::vector<double>> before, divisors;
  Device<double> inners(8);
  std::vector<kfac_divide_request> requests;
  for (size_t size : sizes)
    for (int dtype : {KFAC_F32, KFAC_F64}) {
      std::vector<double> m, x;
      for (size_t k = 0; k < size; ++k) {
        const double v = normal() / 3.0;
        m.push_back(dtype == KFAC_F64 ? v * v : double(float(v * v)));
        x.push_back(normal() / 3.0);
      }
      moments.push_back(std::make_unique<Device<float>>(std::vector<float>(m.begin(), m.end())));
      wide.push_back(std::make_unique<Device<double>>(m));
      xs.push_back(std::make_unique<Device<double>>(x));
      before.push_back(x);
      divisors.push_back(m);
      const void* given = dtype == KFAC_F64 ? (const void*)wide.back()->get() : moments.back()->get();
      requests.push_back({given, xs.back()->get(), inners.get() + requests.size(), 2.0, 0.5, (long long)size, dtype});
    }
  call(kfac_divide_workspace, kfac_divide, requests);
  for (size_t i = 0; i < before.size(); ++i) {
    std::vector<double> expected;
    double inner = 0;
    for (size_t k = 0; k < before[i].size(); ++k) {
      expected.push_back(before[i][k] / (2.0 * divisors[i][k] + 0.5));
      inner += before[i][k] * expected.back();
    }
    CHECK(error(xs[i]->host(), expected) <= 1e-15, "size %zu", expected.size());
    CHECK(std::fabs(inners.host()[i] - inner) <= 1e-14 * inner, "size %zu", expected.size());
  }
}

TEST(squares_of_many_terms) {
  struct Shape {
    int terms, size;
    float decay;
  };
  const Shape shapes[] = {{1, 1, 0.0f}, {7, 300, 0.5f}, {0, 5, 0.5f}, {64, 2000, 0.0f}};
  std::vector<std::unique_ptr<Device<double>>> xs;
  std::vector<std::unique_ptr<Device<float>>> ys;
  std::vector<std::vector<float>> before;
  std::vector<kfac_squares_request> requests;
  for (const Shape& s : shapes) {
    before.push_back(s.decay == 0.0f ? std::vector<float>(s.size, NAN) : normals(s.size));
    std::vector<double> x;
    for (int i = 0; i < s.terms * s.size; ++i) x.push_back(normal() / 3.0);
    xs.push_back(std::make_unique<Device<double>>(x));
    ys.push_back(std::make_unique<Device<float>>(before.back()));
    requests.push_back({xs.back()->get(), ys.back()->get(), s.terms, s.size, 0.25f, s.decay});
  }
  call(kfac_squares_workspace, kfac_squares, requests);
  for (size_t i = 0; i < requests.size(); ++i) {
    const Shape s = shapes[i];
    const std::vector<double> x = xs[i]->host();
    const std::vector<float> y = ys[i]->host();
    for (int k = 0; k < s.size; ++k) {
      double expected = s.decay == 0.0f ? 0.0 : s.decay * double(before[i][k]);
      for (int t = 0; t < s.terms; ++t) expected += 0.25 * x[size_t(t) * s.size + k] * x[size_t(t) * s.size + k];
      CHECK(std::fabs(y[k] - expected) <= 0x1.0001p-24 * std::fabs(expected) + 1e-15, "%d terms of %d: %.9g, not %.9g",
            s.terms, s.size, y[k], expected);
    }
  }
}

// More than a launch carries, in pieces that do not divide it; the values are gone when the work runs.
TEST(upload_of_parameters) {
  const size_t sizes[] = {1, 0, 7, 5000, 3, 20001};
  std::vector<std::vector<float>> values;
  std::vector<std::unique_ptr<Device<float>>> there;
  std::vector<kfac_upload_request> requests;
  for (size_t size : sizes) {
    values.push_back(normals(size));
    there.push_back(std::make_unique<Device<float>>(size));
  }
  std::vector<std::vector<float>> passed = values;
  for (size_t i = 0; i < values.size(); ++i)
    requests.push_back({passed[i].data(), there[i]->get(), (long long)(sizes[i] * sizeof(float))});
  cudaStream_t stream;
  cudaGraph_t graph;
  cudaGraphExec_t executable;
  MUST(cudaStreamCreate(&stream));
  const auto enqueue = [&] { return kfac_upload(requests.data(), int(requests.size()), nullptr, 0, stream); };
  CALL(enqueue());  // loads the kernel
  for (const auto& to : there) to->set(std::vector<float>(to->size(), NAN));
  MUST(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal));
  ENQUEUE(enqueue());
  MUST(cudaStreamEndCapture(stream, &graph));
  MUST(cudaGraphInstantiate(&executable, graph, 0));
  for (auto& all : passed) std::fill(all.begin(), all.end(), -1.0f);
  MUST(cudaGraphLaunch(executable, stream));
  MUST(cudaStreamSynchronize(stream));
  for (size_t i = 0; i < values.size(); ++i)
    if (sizes[i]) CHECK(same_bits(there[i]->host(), values[i]), "%zu floats", sizes[i]);
  MUST(cudaGraphExecDestroy(executable));
  MUST(cudaGraphDestroy(graph));
  MUST(cudaStreamDestroy(stream));
}

TEST(largest_of_arrays) {
  struct Array {
    std::vector<float> values;
    float expected;
  };
  std::vector<Array> arrays{
      {{}, 0.0f}, {{-0.0f}, 0.0f}, {{0x1p-149f}, 0x1p-149f}, {normals(3001), 0.0f}, {normals(1024), NAN}};
  arrays[3].values[2999] = arrays[3].expected = 60000.0f, arrays[3].values[5] = -50000.0f;
  arrays[4].values[77] = NAN, arrays[4].values[1000] = -INFINITY;
  arrays.push_back({arrays[3].values, INFINITY});
  arrays.back().values[1] = -INFINITY;
  std::vector<std::unique_ptr<Device<unsigned char>>> xs;
  std::vector<kfac_largest_request> requests;
  Device<float> found(3 * arrays.size());
  for (int dtype : {KFAC_F32, KFAC_BF16, KFAC_F16})
    for (const Array& a : arrays) {
      const int width = dtype == KFAC_F32 ? 4 : 2;
      std::vector<unsigned char> bytes(a.values.size() * width);
      for (size_t i = 0; i < a.values.size(); ++i) {
        const uint16_t bits = dtype == KFAC_BF16 ? to_bfloat(a.values[i]) : to_half(a.values[i]);
        std::memcpy(&bytes[width * i], dtype == KFAC_F32 ? (const void*)&a.values[i] : &bits, width);
      }
      xs.push_back(std::make_unique<Device<unsigned char>>(bytes));
      requests.push_back({xs.back()->get(), found.get() + requests.size(), (long long)a.values.size(), dtype});
    }
  call(kfac_largest_workspace, kfac_largest, requests);
  for (size_t i = 0; i < requests.size(); ++i) {
    const int dtype = requests[i].dtype;
    float expected = arrays[i % arrays.size()].expected;
    if (dtype == KFAC_BF16) expected = from_bfloat(to_bfloat(expected));
    if (dtype == KFAC_F16) expected = from_half(to_half(expected));
    const float f = found.host()[i];
    CHECK(std::isnan(expected) ? std::isnan(f) : f == expected, "%zu: %g, not %g", i, f, expected);
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

TEST(squared_norms_of_stacks) {
  struct Stack {
    int n, count;
    float scale;
  };
  const Stack stacks[] = {{1, 3, 1.0f},  {13, 40, 1e18f}, {32, 2, 1e-18f},
                          {33, 1, 1.0f}, {100, 3, 1.0f},  {700, 1, 1.0f}};
  std::vector<std::unique_ptr<Device<float>>> matrices;
  std::vector<std::unique_ptr<Device<double>>> norms;
  std::vector<std::vector<float>> values;
  std::vector<kfac_squared_norms_request> requests{{nullptr, nullptr, 5, 0}};  // a stack of none
  for (const Stack& s : stacks) {
    values.push_back(normals(size_t(s.count) * s.n * s.n, s.scale));
    matrices.push_back(std::make_unique<Device<float>>(values.back()));
    norms.push_back(std::make_unique<Device<double>>(s.count));
    requests.push_back({matrices.back()->get(), norms.back()->get(), s.n, s.count});
  }
  call(kfac_squared_norms_workspace, kfac_squared_norms, requests);
  for (size_t i = 0; i < norms.size(); ++i) {
    const size_t size = size_t(stacks[i].n) * stacks[i].n;
    const std::vector<double> found = norms[i]->host();
    for (int c = 0; c < stacks[i].count; ++c) {
      long double exact = 0;
      for (size_t k = 0; k < size; ++k) exact += double(values[i][c * size + k]) * values[i][c * size + k];
      const double expected = double(exact);
      CHECK(std::fabs(found[c] - expected) <= 1e-14 * expected, "n %d, matrix %d: %.17g, not %.17g", stacks[i].n, c,
            found[c], expected);
      // whatever else is asked for in the same call
      Device<double> single(1);
      call(kfac_squared_norms_workspace, kfac_squared_norms,
           std::vector<kfac_squared_norms_request>{{matrices[i]->get() + c * size, single.get(), stacks[i].n, 1}});
      CHECK(single.host()[0] == found[c], "n %d, matrix %d", stacks[i].n, c);
    }
  }
}
