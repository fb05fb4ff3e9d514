// The inverse of one damped matrix by symmetric sweeps, cut into tasks for any number of threads.
//
// A sweep of block K turns A_KK = L L' into -A_KK^-1, the panel T = A_K. into Q = A_KK^-1 T, and everything else into
// A - Z' Z with Z = L^-1 T. When all blocks are swept A has become -A^-1. The terms and their order are those of
// Cholesky, L^-1 and L^-T L^-1, and so is the accuracy; but every sweep is one product over the whole lower triangle,
// which is simple to share out: n^3 operations in all.
#pragma once
#include "diagonal.h"
#include "triangle.h"
#include "verbs.h"

namespace kfac::KFAC_ISA {

/// The columns of one sweep: wide ones read and write A less often, narrow ones leave less to the diagonal blocks.
static inline int sweep_width(int n) { return n <= 128 ? 32 : n <= 512 ? 64 : 128; }

/// Phases: 0 loads A; 1 factorises the first diagonal block; then, for each sweep, its panel, and the rest of A
/// together with the next diagonal block; then the check; then the inverse is written.
struct Sweep final : Plan {
  int n, size, width, blocks;  // size: n in whole panels
  ptrdiff_t lda;
  const float* source;
  double scale, damping;
  float* inverse;
  mutable int32_t failure = 0;

  Sweep(int n, const float* source, double scale, double damping, float* inverse)
      : n(n), size(round_up(n, P)), width(least(sweep_width(n), size)), blocks((n + width - 1) / width),
        lda(size % 256 == 0 ? size + P : size), source(source), scale(scale), damping(damping), inverse(inverse) {}

  size_t matrix_floats() const { return (size_t)size * lda; }
  size_t panel_floats() const { return (size_t)size * width; }

  float* panel(float* shared, int strip) const { return shared + matrix_floats() + (size_t)strip * P * width; }
  Diagonal diagonal(float* shared, int block) const {
    float* a = shared + (size_t)block * width * (lda + 1);
    float* x = shared + matrix_floats() + panel_floats() + block % 2 * Diagonal::floats(width);
    return {a, lda, x, width, least(width, size - block * width)};
  }

  int strips() const { return size / P; }
  int first_strip(int block) const { return block * width / P; }
  bool in_block(int strip, int block) const { return strip >= first_strip(block) && strip < first_strip(block + 1); }

  /// Rows of the panel that are not padding.
  int depth(int block) const { return least(width, n - block * width); }

  int phases() const override { return 2 * blocks + 4; }
  int check_phase() const { return 2 * blocks + 2; }
  size_t shared_floats() const override { return matrix_floats() + panel_floats() + 2 * Diagonal::floats(width) + 16; }
  size_t scratch_floats() const override { return (size_t)width * P + Diagonal::scratch_floats(width) + 16; }
  int32_t status() const override { return __atomic_load_n(&failure, __ATOMIC_RELAXED); }

  int tasks(int phase) const override {
    if (phase == 1 || phase == check_phase()) return 1;
    return strips() + (phase < check_phase() ? phase % 2 : 0);
  }

  void fail(int32_t status) const { __atomic_store_n(&failure, status, __ATOMIC_RELAXED); }

  void run(int phase, int task, float* shared, float* scratch) const override {
    if (status() != 0) return;
    if (phase == 0) return load_strip(task, shared);
    if (phase == 1) return factorise(0, shared, scratch);
    if (phase == check_phase()) return check(shared);
    if (phase > check_phase()) return write_rows(shared, lda, n, task * P, least(n, task * P + P), inverse);
    int block = (phase - 2) / 2;
    if (phase % 2 == 0) {
      if (!in_block(task, block)) sweep_panel(block, task, shared, scratch);
    } else if (task == 0) {
      if (block + 1 == blocks) return;
      for (int s = first_strip(block + 1); s < least(strips(), first_strip(block + 2)); s++) {
        update(block, s, first_strip(block + 1), s + 1, shared);
      }
      factorise(block + 1, shared, scratch);
    } else {
      update_strip(block, strips() - task, shared);  // long rows first
    }
  }

  void load_strip(int strip, float* a) const {
    int first = strip * P;
    bool finite = load_damped(source, n, first, least(n, first + P), scale, damping, a, lda);
    pad_identity(most(n, first), first + P, a, lda);
    if (!finite) fail(-1);
  }

  void factorise(int block, float* shared, float* scratch) const {
    int status = diagonal(shared, block).factorise(scratch);
    if (status) fail(status > 0 ? block * width + status : status);
  }

  /// One strip of the panel: T of P columns becomes Z in the packed panel, and Q in A.
  void sweep_panel(int block, int strip, float* shared, float* q) const {
    Diagonal d = diagonal(shared, block);
    float* z = panel(shared, strip);
    float* a = shared;
    int first = block * width, count = d.n;
    bool below = strip > first_strip(block);
    if (below) {
      float* rows = a + (size_t)strip * P * lda + first;
      for (int k = 0; k < count; k += W) {
        for (int half = 0; half < P; half += W) transpose_block(rows + half * lda + k, lda, z + k * P + half, P);
      }
      d.solve(z);
      d.solve_transposed(z, q, P);
      for (int k = 0; k < count; k += W) {
        for (int half = 0; half < P; half += W) transpose_block(q + k * P + half, P, rows + half * lda + k, lda);
      }
    } else {
      float* rows = a + first * lda + strip * P;
      for (int k = 0; k < count; k++) {
        store(z + k * P, load(rows + k * lda));
        store(z + k * P + W, load(rows + k * lda + W));
      }
      d.solve(z);
      d.solve_transposed(z, rows, lda);
    }
  }

  /// A strip of rows, but for what is in the swept block's panel or in the next diagonal block.
  void update_strip(int block, int strip, float* shared) const {
    if (strip == first_strip(block)) diagonal(shared, block).square();
    if (in_block(strip, block)) return;
    int end = in_block(strip, block + 1) ? first_strip(block + 1) : strip + 1;
    update(block, strip, 0, least(end, first_strip(block)), shared);
    update(block, strip, first_strip(block + 1), end, shared);
  }

  /// A -= Z'Z in a strip of rows and strips [from, to) of columns.
  void update(int block, int strip, int from, int to, float* shared) const {
    const float* x = panel(shared, strip);
    for (int s = from; s < to; s++) {
      const float* y = panel(shared, s);
      float* c = shared + (size_t)strip * P * lda + s * P;
      for (int i = 0; i < P; i += M) {
        if (s == strip && i + M <= W) {
          subtract_tile<1>(depth(block), x + i, y, c + i * lda, lda);
        } else {
          subtract_tile<2>(depth(block), x + i, y, c + i * lda, lda);
        }
      }
    }
  }

  void check(const float* a) const {
    if (!finite_trace(a, lda, n)) fail(-1);
  }
};

/// Inverts one damped matrix with memory of `invert_one_floats(n)`; on failure `inverse` keeps its value.
static int invert_one(const float* source, int n, double scale, double damping, float* inverse, float* work) {
  Sweep sweep(n, source, scale, damping, inverse);
  float *shared = aligned(work), *scratch = aligned(shared + sweep.shared_floats());
  for (int phase = 0; phase < sweep.phases(); phase++) {
    for (int task = 0; task < sweep.tasks(phase); task++) sweep.run(phase, task, shared, scratch);
  }
  return sweep.status();
}

static inline size_t invert_one_floats(int n) {
  Sweep sweep(n, nullptr, 1, 0, nullptr);
  return sweep.shared_floats() + sweep.scratch_floats() + 32;
}

}  // namespace kfac::KFAC_ISA
