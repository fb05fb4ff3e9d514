// The choice between the ways to a second moment of patches.
#include "shift.h"
#include "spectral.h"

namespace kfac::KFAC_ISA {

/// Multiplications and additions of each way, as the multiply-add instructions they take.
struct Cost {
  const kfac_cpu_convolution& c;
  Geometry g;

  double pairs() const { return (double)g.pairs() * P * P; }
  double corners() const {
    double lines = (double)g.rows.edge() * g.columns.edge();
    return 4 * lines * lines * g.examples;
  }
  double assembly() const {
    double dim = (double)g.channels * g.rows.kernel * g.columns.kernel;
    return ASSEMBLY * dim * dim;
  }

  /// A symmetric product of patches, gathered piece by piece.
  double patches() const {
    double dim = (double)g.channels * g.rows.kernel * g.columns.kernel + c.bias;
    double rows = (double)g.examples * g.rows.outputs() * g.columns.outputs();
    return rows * dim * (dim / 2 + GATHER);
  }

  double shift() const {
    double rows = g.rows.edge() * g.rows.edge(), columns = g.columns.edge() * g.columns.edge();
    double row = g.columns.size + g.columns.kernel - 1;
    double whole = (double)g.rows.shifts() * g.columns.shifts() * g.rows.size * row;
    double lines = 2 * rows * g.columns.shifts() * g.columns.size + 2 * columns * g.rows.shifts() * g.rows.size;
    return pairs() * ((whole + lines) * g.examples + corners()) + assembly();
  }

  double spectral() const {
    double h = Fft::length(g.rows.size + g.rows.kernel - 1), w = Fft::length(g.columns.size + g.columns.kernel - 1);
    double shifts = Inverse::padded(g.columns.kernel + (g.rows.kernel - 1) * g.columns.shifts());
    double transforms = TRANSFORM * h * w * (__builtin_log2(h) + __builtin_log2(w)) * g.panels * P * g.examples;
    double lines = 2 * g.rows.edge() * g.rows.edge() * (w / 2 + 1) + 2 * g.columns.edge() * g.columns.edge() * (h / 2 + 1);
    double frequencies = h * (w / 2 + 1) + lines;
    double chunks = 1;
    return transforms + pairs() * (frequencies * (4 * g.examples + 2 * shifts * chunks) + corners()) + assembly();
  }

  // Measured on one core, relative to the multiply-adds of a register tile.
  static constexpr double GATHER = 40;
  static constexpr double TRANSFORM = 12;
  static constexpr double ASSEMBLY = 150;
};

Plan* patch_moment(const PatchMoment& request, int method) {
  const kfac_cpu_convolution& c = request.conv;
  Cost cost = {c, Geometry(c)};
  if (method == KFAC_CPU_CHEAPEST) {
    // what is subtracted must not dwarf what is left: digits would be lost
    double kept = (double)cost.g.rows.outputs() * cost.g.columns.outputs() / ((double)c.height * c.width);
    double patches = cost.patches(), shift = cost.shift(), spectral = cost.spectral();
    bool fits = c.kernel_height <= MAX_KERNEL && c.kernel_width <= MAX_KERNEL && kept >= 0.5 &&
                c.height + c.kernel_height <= Fft::MAX / 2 && c.width + c.kernel_width <= Fft::MAX / 2;
    if (!fits || (patches <= shift && patches <= spectral)) return nullptr;
    method = shift <= spectral ? KFAC_CPU_SHIFT : KFAC_CPU_SPECTRAL;
  }
  if (method == KFAC_CPU_SHIFT) return new ShiftPlan(request);
  return new SpectralPlan(request);
}

}  // namespace kfac::KFAC_ISA
