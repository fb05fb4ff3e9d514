// Which algorithm inverts matrices of a given size and number: the only place that decides.
//
// Up to 32 x 32 it is fp64, for accuracy. For larger ones, until the line "Measured" names a GPU, each limit is the
// largest size that the kernel can hold, and beyond them it is the sweep. The GPU kit's bench times every algorithm,
// cuSOLVER among them, at every size, for single matrices and for stacks; from its results the table is written by
//   java -jar benchmarks.jar inversions bench.json --table=native/cuda/invert_table.h
#pragma once
#include "kfac_cuda.h"

namespace kfac {

constexpr int ANY = 0x7fffffff;

struct InvertRow {
  int up_to;      // sizes n up to this one
  int max_count;  // matrices in a request
  kfac_inversion algorithm;
};

// The first row that holds; one a line, as benchmarks.jar writes them.
// clang-format off
// Measured: not yet.
constexpr InvertRow INVERT_TABLE[] = {
    {8, ANY, KFAC_INVERT_FP64_8},
    {32, ANY, KFAC_INVERT_FP64_32},
    {64, ANY, KFAC_INVERT_REGISTERS_64},
    {128, ANY, KFAC_INVERT_REGISTERS_128},
    {ANY, ANY, KFAC_INVERT_SWEEP},
};
// clang-format on

// The largest n that an algorithm can do.
constexpr int largest_for(int algorithm) {
  switch (algorithm) {
    case KFAC_INVERT_FP64_8: return 8;
    case KFAC_INVERT_FP64_32: return 32;
    case KFAC_INVERT_REGISTERS_64: return 64;
    case KFAC_INVERT_REGISTERS_128: return 128;
    default: return ANY;
  }
}

constexpr const InvertRow& row_for(int n, int count) {
  const InvertRow* row = INVERT_TABLE;
  while (n > row->up_to || count > row->max_count) ++row;
  return *row;
}

constexpr int algorithm_of(const kfac_invert_request& q) {
  if (q.algorithm != KFAC_INVERT_BY_SIZE) return q.algorithm;
  const int algorithm = row_for(q.n, q.count).algorithm;
  return algorithm == KFAC_INVERT_CUSOLVER ? KFAC_INVERT_SWEEP : algorithm;
}

constexpr bool table_holds() {
  int rows = 0;
  for (const InvertRow& row : INVERT_TABLE) {
    ++rows;
    if (row.up_to > largest_for(row.algorithm)) return false;
  }
  return INVERT_TABLE[rows - 1].up_to == ANY && INVERT_TABLE[rows - 1].max_count == ANY;
}
static_assert(table_holds(), "each algorithm can do the sizes of its row, and the last row takes all");

}  // namespace kfac
