// What each way to a second moment of patches costs.
#pragma once
#include "fused.h"
#include "lanes.h"
#include "shift.h"
#include "spectral.h"

namespace kfac::KFAC_ISA {

/// Costs in multiply-adds of a register tile, in fp64, of all groups.
///
/// What is not counted exactly has a constant. They were measured on one core of an Intel Xeon (Emerald Rapids) with
/// AVX-512, where a tile does 65e9 multiply-adds a second: the least time of five runs of each method over the
/// convolutions of ResNet-50, ResNeXt-50, MobileNet and a Simple CNN with 2 to 256 examples, less that of the tiles,
/// over the number of elements that a constant multiplies. That was in fp32: what does no arithmetic in fp64
/// counts half of it since.
struct Cost {
  static constexpr double GATHER = 5;      // one coordinate of a patch packed
  static constexpr double LINE = 300;      // one kernel row of one channel brought in line for it
  static constexpr double UPDATE = 30;     // one element of the target updated, and mirrored
  static constexpr double LANE = 1.4;      // one multiply-add of a group in a lane
  static constexpr double LANE_PACK = 15;  // one pixel packed into lanes
  static constexpr double SHIFTED = 0.85;  // one multiply-add of pixels that serve many shifts
  static constexpr double TRANSFORM = 12;  // one pixel, for each power of two of a transform's length
  static constexpr double ASSEMBLY = 50;   // one element made of correlations

  const kfac_cpu_patch_samples& c;
  Geometry g;

  double dim() const { return (double)g.channels * g.rows.kernel * g.columns.kernel + c.bias; }
  double outputs() const { return (double)g.examples * g.rows.outputs() * g.columns.outputs(); }
  double pairs() const { return (double)g.pairs() * Q * Q; }
  double corners() const {
    double lines = (double)g.rows.edge() * g.columns.edge();
    return 4 * lines * lines * g.examples;
  }
  double assembly() const { return ASSEMBLY * dim() * dim(); }

  double fused() const {
    Gather gather(c);
    double line = gather.direct ? 0 : LINE / ((double)g.columns.kernel * gather.longest());
    int whole = (gather.dim - 1) / Q * Q,
        rest = round_up(gather.dim - whole, M);  // rows of whole panels, and of the last
    double tiles = (double)whole * (whole + Q) / 2 + (double)rest * (whole + Q);
    return c.groups * (outputs() * (tiles + (whole + Q) * (GATHER + line)) + UPDATE * dim() * dim());
  }

  double lanes() const {
    LanesPlan plan({c, nullptr, 0, 0, nullptr});
    double groups = (double)plan.vectors * Q, pixels = (double)g.examples * g.rows.size * g.columns.size * g.channels;
    double products = LANE * outputs() * plan.tiles() * LanesPlan::T * LanesPlan::T;
    return groups * (products + LANE_PACK * pixels + UPDATE * dim() * dim());
  }

  double shift() const {
    double rows = g.rows.edge() * g.rows.edge(), columns = g.columns.edge() * g.columns.edge();
    double row = g.columns.size + g.columns.kernel - 1;
    double whole = (double)g.rows.shifts() * g.columns.shifts() * g.rows.size * row;
    double lines = 2 * rows * g.columns.shifts() * g.columns.size + 2 * columns * g.rows.shifts() * g.rows.size;
    return c.groups * (SHIFTED * pairs() * ((whole + lines) * g.examples + corners()) + assembly());
  }

  double spectral() const {
    double h = Fft::length(g.rows.size + g.rows.kernel - 1), w = Fft::length(g.columns.size + g.columns.kernel - 1);
    double shifts = Inverse::padded(g.columns.kernel + (g.rows.kernel - 1) * g.columns.shifts());
    double transforms = TRANSFORM * h * w * (__builtin_log2(h) + __builtin_log2(w)) * g.panels * Q * g.examples;
    double lines =
        2 * g.rows.edge() * g.rows.edge() * (w / 2 + 1) + 2 * g.columns.edge() * g.columns.edge() * (h / 2 + 1);
    double frequencies = h * (w / 2 + 1) + lines;
    return c.groups * (transforms + pairs() * (frequencies * (4 * g.examples + 2 * shifts) + corners()) + assembly());
  }

  /// Whether correlations are possible, worth a thought, and exact enough.
  bool correlates() const {
    bool unit = c.stride_height == 1 && c.stride_width == 1 && c.dilation_height == 1 && c.dilation_width == 1;
    // what is subtracted must not dwarf what is left: digits would be lost
    double kept = (double)g.rows.outputs() * g.columns.outputs() / ((double)c.height * c.width);
    return unit && c.kernel_height * c.kernel_width > 1 && c.kernel_height <= MAX_KERNEL &&
           c.kernel_width <= MAX_KERNEL && kept >= 0.5 && c.height + c.kernel_height <= Fft::MAX / 2 &&
           c.width + c.kernel_width <= Fft::MAX / 2;
  }

  int cheapest() const {
    int method = KFAC_CPU_FUSED;
    double least = fused();
    auto consider = [&](int other, double cost) {
      if (cost < least) {
        least = cost;
        method = other;
      }
    };
    if (c.groups > 1 && LanesPlan::fits(c)) consider(KFAC_CPU_LANES, lanes());
    if (correlates()) {
      consider(KFAC_CPU_SHIFT, shift());
      consider(KFAC_CPU_SPECTRAL, spectral());
    }
    return method;
  }
};

}  // namespace kfac::KFAC_ISA
