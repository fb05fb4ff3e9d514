// The second moment as a symmetric product of patches, which are gathered, used and forgotten a few at a time.
#pragma once
#include "blocks.h"
#include "gather.h"

namespace kfac::KFAC_ISA {

/// Patches of few coordinates: each task gathers a slice of them for itself and keeps its own sum.
struct NarrowPlan : Plan {
  static constexpr int WIDEST = 512;       // a sum and the panels fit into the second-level cache
  static constexpr int TASKS = 64;         // aimed at
  static constexpr double LEAST = 4e6;     // multiplications of a task
  static constexpr double SUMS = 1 << 21;  // floats of all sums

  AccumulateRequest request;
  Gather gather;
  Blocks blocks;
  int slices;

  explicit NarrowPlan(const AccumulateRequest& request)
      : request(request), gather(request.conv), blocks(gather.dim, WIDEST) {
    double area = (double)blocks.floats(), count = (double)TASKS / groups();
    double most_work = (double)gather.units() * gather.longest() * area / LEAST, most_memory = SUMS / (groups() * area);
    if (count > most_work) count = most_work;
    if (count > most_memory) count = most_memory;
    slices = most(1, least(gather.units(), (int)count));
  }

  int groups() const { return (int)request.conv.groups; }
  int panels() const { return blocks.side / P; }
  size_t panel_floats() const { return (size_t)gather.samples() * P; }

  // Phases: sums; then those of several slices together.
  int phases() const override { return slices > 1 ? 2 : 1; }
  int tasks(int phase) const override { return groups() * (phase == 0 ? slices : 1); }
  size_t shared_floats() const override { return slices > 1 ? tasks(0) * blocks.floats() : 0; }
  size_t scratch_floats() const override {
    return (slices > 1 ? 0 : blocks.floats()) + panels() * panel_floats() + gather.scratch_floats();
  }

  void run(int phase, int task, float* shared, float* scratch) const override {
    int group = phase == 0 ? task / slices : task, slice = phase == 0 ? task % slices : 0;
    float* sums = slices > 1 ? shared + (size_t)group * slices * blocks.floats() : scratch;
    if (phase == 0) {
      add(group, slice, sums + slice * blocks.floats(), slices > 1 ? scratch : scratch + blocks.floats());
    }
    if (phase == 1 || slices == 1) {
      blocks.finish({0, 0}, sums, slices, request, request.target + (ptrdiff_t)group * gather.dim * gather.dim);
    }
  }

  void add(int group, int slice, float* sums, float* packed) const {
    const float* images = request.images + group * request.conv.channels * request.conv.channel_stride;
    float* lines = packed + panels() * panel_floats();
    int first = (int)((int64_t)gather.units() * slice / slices),
        last = (int)((int64_t)gather.units() * (slice + 1) / slices);
    memset(sums, 0, sizeof(float) * blocks.floats());
    for (int u = first; u < last; u += gather.together()) {
      int end = least(last, u + gather.together());
      for (int p = 0; p < panels(); p++) gather.pack(images, p, u, end, packed + p * panel_floats(), lines);
      blocks.add({0, 0}, gather.samples(u, end), packed, packed, panel_floats(), sums);
    }
  }
};

/// Patches of many coordinates, of one group: they are gathered once for all blocks.
struct WidePlan : Plan {
  static constexpr int SIDE = 192;                   // of a block, at most
  static constexpr size_t PACKED = (size_t)1 << 21;  // floats of patches that are packed at a time

  AccumulateRequest request;
  Gather gather;
  Blocks blocks;
  int panels, parts, chunks;  // parts: of a chunk, each as many samples as are gathered together

  explicit WidePlan(const AccumulateRequest& request)
      : request(request), gather(request.conv), blocks(gather.dim, SIDE), panels((gather.dim + P - 1) / P) {
    int all = (gather.units() + gather.together() - 1) / gather.together();
    parts = most(1, least(all, (int)(PACKED / (panels * panel_floats()))));
    chunks = (all + parts - 1) / parts;
  }

  size_t panel_floats() const { return (size_t)gather.samples() * P; }
  size_t sum_floats() const { return chunks > 1 ? blocks.pairs() * blocks.floats() : 0; }

  // Phases: for each chunk of patches, packing and adding; what is added last is finished.
  int phases() const override { return 2 * chunks; }
  int tasks(int phase) const override { return phase % 2 == 0 ? parts_of(phase / 2) * panels : blocks.pairs(); }
  size_t shared_floats() const override { return sum_floats() + parts * panels * panel_floats(); }
  size_t scratch_floats() const override {
    size_t lines = gather.scratch_floats(), sums = chunks > 1 ? 0 : blocks.floats();
    return lines > sums ? lines : sums;
  }

  int first(int part) const { return least(gather.units(), part * gather.together()); }
  int parts_of(int chunk) const {
    int left = gather.units() - first(chunk * parts);
    return least(parts, (left + gather.together() - 1) / gather.together());
  }

  void run(int phase, int task, float* shared, float* scratch) const override {
    int chunk = phase / 2, part = chunk * parts;
    float* packed = shared + sum_floats();
    if (phase % 2 == 0) {
      int panel = task % panels, k = task / panels;
      float* to = packed + (size_t)task * panel_floats();
      gather.pack(request.images, panel, first(part + k), first(part + k + 1), to, scratch);
      return;
    }
    BlockPair pair = blocks.pair(task);
    float* sums = chunks > 1 ? shared + task * blocks.floats() : scratch;
    if (chunk == 0) memset(sums, 0, sizeof(float) * blocks.floats());
    for (int k = 0; k < parts_of(chunk); k++) {
      const float* all = packed + (size_t)k * panels * panel_floats();
      const float *left = all + pair.i * (blocks.side / P) * panel_floats(),
                  *right = all + pair.j * (blocks.side / P) * panel_floats();
      blocks.add(pair, gather.samples(first(part + k), first(part + k + 1)), left, right, panel_floats(), sums);
    }
    if (chunk + 1 == chunks) blocks.finish(pair, sums, 1, request, request.target);
  }
};

}  // namespace kfac::KFAC_ISA
