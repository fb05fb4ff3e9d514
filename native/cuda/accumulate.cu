// Second moments M := decay M + weight sum x x' over samples.
#include "accumulate_gathered.cuh"
#include "accumulate_planes.h"
#include "verbs.h"

namespace kfac {
namespace {

// Few rows make a matrix with a null space, in which rounding is not small: it is divided by the damping. They are
// summed in fp64, which costs little then.
constexpr long long FEW = 256;

class Gathered {
 public:
  explicit Gathered(Plan& plan) : plan_(plan) {}

  // The requests of a dtype on a tile policy.
  template <class P, class T>
  void add(const std::vector<kfac_accumulate_request>& requests, int dtype) {
    Batch<GatheredJob> along_rows, along_columns;
    for (const kfac_accumulate_request& q : requests) {
      const kfac_samples& s = q.samples;
      if (s.dtype != dtype) continue;
      const View view(s);
      const bool positions = view.out_height > 1 || view.out_width > 1;
      const bool along = positions && (s.channel_stride != 1 || s.x_stride == 1);
      const Columns order =
          !along && view.taps() > 1 ? Columns::taps_of(view, view.channels, 0, s.bias) : Columns::plain(view.columns);
      Sums sums{{q.target, q.weight, q.decay, view.columns}, order, nullptr, s.groups, P::SIDE,
                int(tiles_of(view.columns, P::SIDE)),        0};
      const long long chunk_rows = cut(sums, view.rows, P::DEPTH, 2048 / P::DEPTH, 1 << 30);
      if (sums.chunks > 1) {
        sums.partials = plan_.take<float>(sums.elements());
        finish_.add(sums, mirror_blocks(view.columns) * sums.groups);
      }
      (along ? along_rows : along_columns).add({view, s.data, sums, chunk_rows}, sums.blocks());
    }
    plan_.launch(gathered_kernel<P, T, true>, along_rows, P::THREADS, sizeof(Shared<P>));
    plan_.launch(gathered_kernel<P, T, false>, along_columns, P::THREADS, sizeof(Shared<P>));
  }
  template <class P>
  void add(const std::vector<kfac_accumulate_request>& requests) {
    add<P, float>(requests, KFAC_F32);
    add<P, Bfloat>(requests, KFAC_BF16);
    add<P, Half>(requests, KFAC_F16);
  }
  void finish() { plan_.launch(finish_kernel, finish_, dim3(MIRROR, MIRROR_LINES), sizeof(MirrorShared)); }

 private:
  Plan& plan_;
  Batch<Sums> finish_;
};

}  // namespace

void accumulate(const kfac_accumulate_request* requests, int count, int math, Plan& plan) {
  std::vector<kfac_accumulate_request> few, plain, planes;
  for (int i = 0; i < count; ++i) {
    const kfac_accumulate_request& q = requests[i];
    const bool tensor = q.samples.dtype != KFAC_F32 || math == KFAC_SPLIT_F16;
    (View(q.samples).rows <= FEW ? few : tensor && has_planes(q) ? planes : plain).push_back(q);
  }
  Gathered gathered(plan);
  gathered.add<Fp64<64>>(few);
  gathered.add<Ffma<64>>(plain);
  gathered.finish();
  accumulate_planes(planes, plan);
}

}  // namespace kfac
