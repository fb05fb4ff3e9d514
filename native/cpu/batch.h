// Small matrices into the lanes of vectors and back.
#pragma once
#include "interleaved.h"

namespace kfac::KFAC_ISA {

/// The largest size at which lanes beat one matrix at a time.
constexpr int SMALL = 64;

static inline size_t batch_floats(int n) { return (size_t)round_up(n, B) * round_up(n, B) * W + 16; }

/// Sets what lies beyond n, up to the padded size, to that of the identity.
static void pad(const Interleaved& m, int n) {
  for (int i = n; i < m.n; i++) {
    for (int j = 0; j < i; j++) m.set(i, j, vf{});
    m.set(i, i, vf{} + 1);
  }
}

/// Elements [j, j + W) of row i, as far as they belong to the row, of a matrix in each lane: v[c] is column j + c.
static inline void gather(const float* const* matrices, int n, int i, int j, vf (&v)[W]) {
  for (int l = 0; l < W; l++) v[l] = load(matrices[l] + i * n + j, n - j);
  transpose(v);
}

/// Inverts up to W matrices of n <= SMALL.
static void invert_lanes(const InvertRequest& q, int first, int count, float* work) {
  Interleaved m = {aligned(work), round_up(q.n, B)};
  int n = q.n;
  const float* sources[W];
  vf scale;
  for (int l = 0; l < W; l++) {
    int k = first + (l < count ? l : 0);
    sources[l] = q.source[k];
    scale[l] = (float)q.scale[k];
  }
  vf check = {};
  for (int i = 0; i < n; i++) {
    for (int j = 0; j <= i; j += W) {
      vf v[W];
      gather(sources, n, i, j, v);
      for (int c = 0; c < W && j + c <= i; c++) {
        v[c] *= scale;
        check += v[c] * 0;
        m.set(i, j + c, v[c]);
      }
    }
    for (int l = 0; l < W; l++) {
      int k = first + (l < count ? l : 0);
      m.at(i, i)[l] = (float)(q.scale[k] * sources[l][i * n + i] + q.damping[k]);
    }
    check += m.get(i, i) * 0;
  }
  pad(m, n);
  int32_t status[W];
  m.invert(status);
  vf inverse_check = {};
  for (int i = 0; i < n; i++) {
    for (int j = 0; j <= i; j++) inverse_check += m.get(i, j) * 0;
  }
  for (int l = 0; l < count; l++) {
    q.status[first + l] = check[l] != 0 ? -1 : status[l] != 0 ? status[l] : inverse_check[l] != 0 ? -1 : 0;
  }
  for (int i = 0; i < n; i++) {
    for (int j = 0; j < n; j += W) {
      vf v[W];
      for (int c = 0; c < W; c++) v[c] = j + c >= n ? vf{} : j + c <= i ? m.get(i, j + c) : m.get(j + c, i);
      transpose(v);
      for (int l = 0; l < count; l++) {
        if (q.status[first + l] == 0) store(q.inverse[first + l] + i * n + j, v[l], n - j);
      }
    }
  }
}

}  // namespace kfac::KFAC_ISA
