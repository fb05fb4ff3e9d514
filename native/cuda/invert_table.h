// Which algorithm inverts a matrix of a given size: the only place that decides.
//
// Not yet measured. Each limit is the largest size that the kernel can hold. To fill the table, run the GPU kit's bench
// on the hardware, which times every algorithm at every size (cuda-kernels-32, -64, -128, -sweep) and cuSOLVER beside
// them, and put the fastest one into its row.
#pragma once
#include "kfac_cuda.h"

namespace kfac {

struct InvertRow {
  int up_to;  // sizes n up to this one, and beyond the row before
  kfac_inversion algorithm;
};

constexpr InvertRow INVERT_TABLE[] = {
    {8, KFAC_INVERT_FP64_8},  // for accuracy
    {32, KFAC_INVERT_REGISTERS_32},
    {64, KFAC_INVERT_REGISTERS_64},
    {128, KFAC_INVERT_REGISTERS_128},
};

constexpr int algorithm_of(const kfac_invert_request& q) {
  if (q.algorithm != KFAC_INVERT_BY_SIZE) return q.algorithm;
  for (const InvertRow& row : INVERT_TABLE)
    if (q.n <= row.up_to) return row.algorithm;
  return KFAC_INVERT_SWEEP;
}

// The largest n that an algorithm can do.
constexpr int largest_for(int algorithm) {
  switch (algorithm) {
    case KFAC_INVERT_FP64_8: return 8;
    case KFAC_INVERT_REGISTERS_32: return 32;
    case KFAC_INVERT_REGISTERS_64: return 64;
    case KFAC_INVERT_REGISTERS_128: return 128;
    default: return 1 << 20;
  }
}

}  // namespace kfac
