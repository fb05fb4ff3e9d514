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
  static constexpr double SUMS = 1 << 20;  // elements of all sums

  AccumulateRequest request;
  Gather gather;
  Blocks blocks;
  int slices;

  explicit NarrowPlan(const AccumulateRequest& request)
      : request(request), gather(request.conv), blocks(gather.dim, WIDEST) {
    double area = (double)blocks.elements(), count = (double)TASKS / groups();
    double most_work = (double)gather.units() * gather.longest() * area / LEAST, most_memory = SUMS / (groups() * area);
    if (count > most_work) count = most_work;
    if (count > most_memory) count = most_memory;
    slices = most(1, least(gather.units(), (int)count));
  }

  int groups() const { return (int)request.conv.groups; }
  int panels() const { return blocks.side / Q; }
  size_t panel_doubles() const { return (size_t)gather.samples() * Q; }

  // Phases: sums; then those of several slices together.
  int phases() const override { return slices > 1 ? 2 : 1; }
  int tasks(int phase) const override { return groups() * (phase == 0 ? slices : 1); }
  size_t shared_floats() const override { return slices > 1 ? 2 * tasks(0) * blocks.elements() : 0; }
  size_t scratch_floats() const override {
    return 2 * ((slices > 1 ? 0 : blocks.elements()) + panels() * panel_doubles()) + gather.scratch_floats();
  }

  void run(int phase, int task, float* shared, float* scratch) const override {
    int group = phase == 0 ? task / slices : task, slice = phase == 0 ? task % slices : 0;
    double* own = (double*)scratch;
    double* sums = slices > 1 ? (double*)shared + (size_t)group * slices * blocks.elements() : own;
    if (phase == 0) {
      add(group, slice, sums + slice * blocks.elements(), slices > 1 ? own : own + blocks.elements());
    }
    if (phase == 1 || slices == 1) {
      blocks.finish({0, 0}, sums, slices, request, request.target + (ptrdiff_t)group * gather.dim * gather.dim);
    }
  }

  void add(int group, int slice, double* sums, double* packed) const {
    const float* images = request.images + group * request.conv.channels * request.conv.channel_stride;
    float* lines = (float*)(packed + panels() * panel_doubles());
    int first = (int)((int64_t)gather.units() * slice / slices),
        last = (int)((int64_t)gather.units() * (slice + 1) / slices);
    memset(sums, 0, sizeof(double) * blocks.elements());
    for (int u = first; u < last; u += gather.together()) {
      int end = least(last, u + gather.together());
      for (int p = 0; p < panels(); p++) gather.pack(images, p, u, end, packed + p * panel_doubles(), lines);
      blocks.add({0, 0}, gather.samples(u, end), packed, packed, panel_doubles(), sums);
    }
  }
};

/// Patches of many coordinates, of one group: they are gathered once for all blocks.
struct WidePlan : Plan {
  static constexpr int SIDE = 192;                   // of a block, at most
  static constexpr size_t PACKED = (size_t)1 << 20;  // doubles of patches that are packed at a time

  AccumulateRequest request;
  Gather gather;
  Blocks blocks;
  int panels, parts, chunks;  // parts: of a chunk, each as many samples as are gathered together

  explicit WidePlan(const AccumulateRequest& request)
      : request(request), gather(request.conv), blocks(gather.dim, SIDE), panels((gather.dim + Q - 1) / Q) {
    int all = (gather.units() + gather.together() - 1) / gather.together();
    parts = most(1, least(all, (int)(PACKED / (panels * panel_doubles()))));
    chunks = (all + parts - 1) / parts;
  }

  size_t panel_doubles() const { return (size_t)gather.samples() * Q; }
  size_t sum_doubles() const { return chunks > 1 ? blocks.pairs() * blocks.elements() : 0; }

  // Phases: for each chunk of patches, packing and adding; what is added last is finished.
  int phases() const override { return 2 * chunks; }
  int tasks(int phase) const override { return phase % 2 == 0 ? parts_of(phase / 2) * panels : blocks.pairs(); }
  size_t shared_floats() const override { return 2 * (sum_doubles() + parts * panels * panel_doubles()); }
  size_t scratch_floats() const override {
    size_t lines = gather.scratch_floats(), sums = chunks > 1 ? 0 : 2 * blocks.elements();
    return lines > sums ? lines : sums;
  }

  int first(int part) const { return least(gather.units(), part * gather.together()); }
  int parts_of(int chunk) const {
    int left = gather.units() - first(chunk * parts);
    return least(parts, (left + gather.together() - 1) / gather.together());
  }

  void run(int phase, int task, float* shared, float* scratch) const override {
    int chunk = phase / 2, part = chunk * parts;
    double *all_sums = (double*)shared, *packed = all_sums + sum_doubles();
    if (phase % 2 == 0) {
      int panel = task % panels, k = task / panels;
      double* to = packed + (size_t)task * panel_doubles();
      gather.pack(request.images, panel, first(part + k), first(part + k + 1), to, scratch);
      return;
    }
    BlockPair pair = blocks.pair(task);
    double* sums = chunks > 1 ? all_sums + task * blocks.elements() : (double*)scratch;
    if (chunk == 0) memset(sums, 0, sizeof(double) * blocks.elements());
    for (int k = 0; k < parts_of(chunk); k++) {
      const double* all = packed + (size_t)k * panels * panel_doubles();
      const double *left = all + pair.i * (blocks.side / Q) * panel_doubles(),
                   *right = all + pair.j * (blocks.side / Q) * panel_doubles();
      blocks.add(pair, gather.samples(first(part + k), first(part + k + 1)), left, right, panel_doubles(), sums);
    }
    if (chunk + 1 == chunks) blocks.finish(pair, sums, 1, request, request.target);
  }
};

}  // namespace kfac::KFAC_ISA
