// The second moment of patches from correlations of pixels, where neither stride nor groups are in the way; pure
// functions, tested without a tensor.
//
// Let a = dilation * u - padding be the offset of kernel position u, d = dilation * (v - u), and x_i[y] channel i at
// pixel y, zero outside.
//   A[(i,u),(j,v)] = sum over outputs o of x_i[o + a] x_j[o + a + d],
// which is the sum over all pixels y of x_i[y] x_j[y + d], without those y that are no o + a. In each direction these
// lie before or after the window of all o + a: their sums, over lines at the edges, are subtracted, and those of
// corners, which were subtracted twice, added. Each of these sums is over a rectangle of pixels of all images, and
// depends on u and v through little but d: k x k positions need some k^2 of them instead of k^4 / 2 blocks.
#pragma once
#include <algorithm>
#include <vector>
#include "view.h"

namespace kfac {

// Pixels first .. first + count - 1 along one axis, and those that lie `shift` further.
struct Range {
  int first, count, shift;
  bool operator==(const Range&) const = default;
};

// What an axis is cut into for pairs of kernel positions along it.
struct Axis {
  enum Kind { ALL, BEFORE, AFTER, KINDS };
  int kernel;
  std::vector<Range> ranges;
  std::vector<int> of;  // [kernel, kernel, KINDS]: number of the range; -1: it is empty

  Axis(int size, int out, int kernel, int dilation, int padding) : kernel(kernel) {
    for (int u = 0; u < kernel; ++u)
      for (int v = 0; v < kernel; ++v) {
        const int shift = dilation * (v - u), window = dilation * u - padding;
        const int begin = std::max(0, -shift), end = size - std::max(0, shift);
        of.push_back(number(begin, end, shift));
        of.push_back(number(begin, std::min(end, window), shift));
        of.push_back(number(std::max(begin, window + out), end, shift));
      }
  }

 private:
  int number(int begin, int end, int shift) {
    if (begin >= end) return -1;
    const Range range{begin, end - begin, shift};
    const size_t at = std::find(ranges.begin(), ranges.end(), range) - ranges.begin();
    if (at == ranges.size()) ranges.push_back(range);
    return int(at);
  }
};

// Of two shifts that differ in their sign only one is needed: the sums of the other are the transpose.
KFAC_BOTH bool leads(int shift_y, int shift_x) { return shift_y > 0 || (shift_y == 0 && shift_x >= 0); }

// All sums that A needs.
struct Shifts {
  Axis rows, columns;
  long long images;
  int channels;
  bool bias;  // the constant 1 follows the channels

  Shifts(const View& view, long long images, bool bias)
      : rows(view.height, view.out_height, view.kernel_height, view.dilation_height, view.padding_height),
        columns(view.width, view.out_width, view.kernel_width, view.dilation_width, view.padding_width), images(images),
        channels(view.channels), bias(bias) {}

  static bool symmetric(const Range& row, const Range& column) { return row.shift == 0 && column.shift == 0; }
  long long tokens(const Range& row, const Range& column) const { return images * row.count * column.count; }
  // The bias coordinate needs no sums but symmetric ones.
  int width(bool symmetric) const { return channels + (symmetric && bias); }
  long long tiles(bool symmetric, int side) const {
    const long long across = (width(symmetric) + side - 1) / side;
    return symmetric ? triangle(across) : across * across;
  }

  // visit(number of row range, of column range)
  template <class Visit>
  void each(const Visit& visit) const {
    for (size_t r = 0; r < rows.ranges.size(); ++r)
      for (size_t c = 0; c < columns.ranges.size(); ++c)
        if (leads(rows.ranges[r].shift, columns.ranges[c].shift)) visit(int(r), int(c));
  }
};

// Cycles of a multiprocessor, counted from instructions and bytes, not measured: of a tile and 96 tokens, where
// 64-tiles share it with two others, and of putting together one element of A.
constexpr double TRIP_CYCLES_128 = 4350, TRIP_CYCLES_64 = 1350, ASSEMBLY_CYCLES = 1.2;

constexpr long long trips_of(long long tokens) { return (tokens + 95) / 96; }

inline double product_cycles(long long tiles, long long tokens, int side) {
  return double(tiles) * double(trips_of(tokens)) * (side == 128 ? TRIP_CYCLES_128 : TRIP_CYCLES_64);
}

// The large tile needs half the loads for each product; it may waste that much on its padding.
inline int side_for(long long tiles_128, long long tiles_64) { return 4 * tiles_128 <= 3 * tiles_64 / 2 ? 128 : 64; }

inline int side_of_moment(int n) { return side_for(triangle((n + 127) / 128), triangle((n + 63) / 64)); }

inline int side_of(const Shifts& shifts) { return side_for(shifts.tiles(false, 128), shifts.tiles(false, 64)); }

inline double cycles(const Shifts& shifts, int n) {
  const int side = side_of(shifts);
  double sum = ASSEMBLY_CYCLES * double(triangle(n));
  shifts.each([&](int r, int c) {
    const Range &row = shifts.rows.ranges[r], &column = shifts.columns.ranges[c];
    sum += product_cycles(shifts.tiles(Shifts::symmetric(row, column), side), shifts.tokens(row, column), side);
  });
  return sum;
}

// Whether shifts are cheaper than patches. Where the window is less than half of the pixels too much of their sums is
// subtracted again, with the rounding of all; and tables have an end.
inline bool by_shifts(const kfac_samples& s) {
  constexpr int MAX_TAPS = 256;
  const View view(s);
  if (s.groups != 1 || view.taps() == 1 || view.taps() > MAX_TAPS || view.stride_height != 1 || view.stride_width != 1)
    return false;
  if (2LL * view.out_height * view.out_width < (long long)view.height * view.width) return false;
  const Shifts shifts(view, s.batch, s.bias);
  if (shifts.rows.ranges.size() * shifts.columns.ranges.size() > 1 << 14) return false;
  const int n = view.columns, side = side_of_moment(n);
  return cycles(shifts, n) < product_cycles(triangle((n + side - 1) / side), view.rows, side);
}

}  // namespace kfac
