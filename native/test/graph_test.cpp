// The verbs captured into a CUDA graph: launched again on other data, it gives the bits of a call.
#include "dense.h"
using namespace test;

namespace {

// A factor from samples, its inverse, and a gradient between it and itself: one verb feeds the next.
struct Step {
  static constexpr int N = 150, ROWS = 300;

  explicit Step(const std::vector<float>& data)
      : samples(data), moment(N * N), inverse(N * N), gradient(normals(N * N)), result(N * N), status(1), inner(1),
        inverse_norm(1), norms(2), accumulate_space(kfac_accumulate_workspace(&accumulation, 1, KFAC_SPLIT_F16)),
        invert_space(kfac_invert_workspace(&inversion, 1, KFAC_SPLIT_F16)),
        norm_space(kfac_squared_norms_workspace(&measurement, 1)),
        precondition_space(kfac_precondition_workspace(&preconditioning, 1, KFAC_SPLIT_F16)) {}

  int enqueue(cudaStream_t stream) {
    if (int e =
            kfac_accumulate(&accumulation, 1, KFAC_SPLIT_F16, accumulate_space.get(), accumulate_space.bytes(), stream))
      return e;
    if (int e = kfac_invert(&inversion, 1, KFAC_SPLIT_F16, invert_space.get(), invert_space.bytes(), stream)) return e;
    if (int e = kfac_squared_norms(&measurement, 1, norm_space.get(), norm_space.bytes(), stream)) return e;
    return kfac_precondition(&preconditioning, 1, KFAC_SPLIT_F16, precondition_space.get(), precondition_space.bytes(),
                             stream);
  }
  static kfac_samples rows_of(const void* data) {
    kfac_samples r{};
    r.data = data;
    r.groups = 1, r.batch = ROWS, r.channels = N, r.height = r.width = 1;
    r.batch_stride = N, r.channel_stride = 1;
    r.kernel_height = r.kernel_width = r.stride_height = r.stride_width = r.dilation_height = r.dilation_width = 1;
    return r;
  }

  Device<float> samples, moment, inverse, gradient, result;
  Device<int> status;
  Device<double> inner, inverse_norm, norms;
  const kfac_accumulate_request accumulation{rows_of(samples.get()), moment.get(), 1.0f / ROWS, 0.0f};
  const kfac_invert_request inversion{moment.get(),       inverse.get(), status.get(), nullptr, 1.0f, 0.1f, N, 1,
                                      KFAC_INVERT_BY_SIZE};
  const kfac_squared_norms_request measurement{inverse.get(), inverse_norm.get(), N, 1};
  const kfac_precondition_request preconditioning{
      inverse.get(), inverse.get(),      gradient.get(),     nullptr,    result.get(), nullptr, inner.get(), 1, N, N,
      1.0f,          inverse_norm.get(), inverse_norm.get(), norms.get()};
  Workspace accumulate_space, invert_space, norm_space, precondition_space;
};

}  // namespace

TEST(graph_gives_the_bits_of_a_call) {
  const std::vector<float> first = normals(Step::N * Step::ROWS), second = normals(Step::N * Step::ROWS);
  Step step(first);
  cudaStream_t stream;
  MUST(cudaStreamCreate(&stream));
  CALL(step.enqueue(stream));  // loads the kernels, which a capture may refuse
  const std::vector<float> once = step.result.host();
  const std::vector<double> norms = step.norms.host();
  step.samples.set(second);
  CALL(step.enqueue(stream));
  const std::vector<float> other = step.result.host();
  const std::vector<double> other_norms = step.norms.host();
  CHECK(step.status.host()[0] == KFAC_MATRIX_OK && !same_bits(once, other) && !same_bits(norms, other_norms));

  cudaGraph_t graph;
  cudaGraphExec_t executable;
  MUST(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal));
  ENQUEUE(step.enqueue(stream));
  MUST(cudaStreamEndCapture(stream, &graph));
  MUST(cudaGraphInstantiate(&executable, graph, 0));
  for (const auto& [data, expected] : {std::pair(&first, &once), std::pair(&second, &other)}) {
    step.samples.set(*data);
    step.result.set(std::vector<float>(step.result.size(), NAN));
    MUST(cudaGraphLaunch(executable, stream));
    MUST(cudaStreamSynchronize(stream));
    CHECK(same_bits(step.result.host(), *expected));
    CHECK(same_bits(step.norms.host(), expected == &once ? norms : other_norms));
  }
  MUST(cudaGraphExecDestroy(executable));
  MUST(cudaGraphDestroy(graph));
  MUST(cudaStreamDestroy(stream));
}
