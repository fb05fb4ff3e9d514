// Tensor-core instructions for the emulation: fragment layouts of the PTX ISA (ldmatrix, mma.m16n8k16),
// products exact, sums truncated toward zero as tensor cores do (Ootomo and Yokota, 2022).
#pragma once
#include "cuda_emu.h"

namespace emu {

inline float half_value(uint16_t bits) {
  struct Table {
    float value[65536];
    Table() {
      for (unsigned i = 0; i < 65536; ++i) {
        const uint16_t b = uint16_t(i);
        _Float16 h;
        std::memcpy(&h, &b, sizeof h);
        value[i] = float(h);
      }
    }
  };
  static const Table table;
  return table.value[bits];
}
inline float bfloat_value(uint16_t bits) { return __uint_as_float(unsigned(bits) << 16); }

inline float toward_zero(double x) {
  float f = float(x);
  if (std::fabs(double(f)) > std::fabs(x)) f = std::nextafter(f, 0.0f);
  return f;
}

// Four 8 x 8 matrices of 16-bit elements; lane l names row l % 8 of matrix l / 8, and the eight rows of a matrix must
// use all banks. Transposed: a lane receives elements 2 (l % 4) and the next of column l / 4.
inline void load_matrix(uint32_t (&fragment)[4], uintptr_t row) {
  Warp& w = exchange(~0u, &row, sizeof row);
  const uintptr_t shared = reinterpret_cast<uintptr_t>(block->shared.data());
  for (unsigned m = 0; m < 4; ++m) {
    unsigned banks = 0;
    for (unsigned r = 0; r < 8; ++r) {
      const uintptr_t source = deposited<uintptr_t>(w, 8 * m + r);
      banks |= 1u << (source / 16 % 8);
      if (source % 16) die("ldmatrix row is not 16-byte aligned");
      if (source < shared || source + 16 > shared + block->shared.size()) die("ldmatrix outside of shared memory");
    }
    if (banks != 0xff) die("ldmatrix with bank conflicts");
    for (unsigned i = 0; i < 2; ++i) {
      const unsigned r = 2 * (lane() % 4) + i, c = lane() / 4;
      const char* source = reinterpret_cast<const char*>(deposited<uintptr_t>(w, 8 * m + r));
      std::memcpy(reinterpret_cast<char*>(&fragment[m]) + 2 * i, source + 2 * c, 2);
    }
  }
}

template <class Value>
void mma(float (&sum)[4], const uint32_t (&a)[4], const uint32_t (&b)[2], Value value) {
  const uint32_t fragment[6] = {a[0], a[1], a[2], a[3], b[0], b[1]};
  Warp& w = exchange(~0u, fragment, sizeof fragment);
  if (!w.expanded) {
    for (unsigned l = 0; l < 32; ++l)
      for (unsigned half = 0; half < 2; ++half) {
        const unsigned row = l / 4, k = 2 * (l % 4) + half;
        auto element = [&](int word) {
          return double(value(uint16_t(deposited<uint32_t>(w, l, word) >> (16 * half))));
        };
        w.left[row][k] = element(0);
        w.left[row + 8][k] = element(1);
        w.left[row][k + 8] = element(2);
        w.left[row + 8][k + 8] = element(3);
        w.right[row][k] = element(4);
        w.right[row][k + 8] = element(5);
      }
    w.expanded = true;
  }
  const unsigned g = lane() / 4, q = lane() % 4;
  for (int e = 0; e < 4; ++e) {
    double s = sum[e];
    for (int k = 0; k < 16; ++k) s += w.left[g + 8 * (e / 2)][k] * w.right[2 * q + e % 2][k];
    sum[e] = toward_zero(s);
  }
}

}  // namespace emu
