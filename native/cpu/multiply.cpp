#include "panels.h"

namespace kfac::KFAC_ISA {

void transpose(int rows, int cols, const float* a, int64_t a_stride, float* b, int64_t b_stride) {
  for (int i = 0; i < rows; i += W) {
    int height = least(W, rows - i);
    for (int j = 0; j < cols; j += W) {
      int width = least(W, cols - j);
      vf v[W];
      for (int r = 0; r < W; r++) v[r] = r < height ? load(a + (i + r) * a_stride + j, width) : vf{};
      transpose(v);
      for (int c = 0; c < width; c++) store(b + (j + c) * b_stride + i, v[c], height);
    }
  }
}

int panel_width() { return P; }

void pack(int k, int n, const float* b, int64_t row, int64_t col, float* panels) {
  for (int j = 0; j < n; j += P) pack_panel({b, row, col}, j, least(P, n - j), k, panels + (size_t)j * k);
}

void multiply(const PanelProduct& p) {
  multiply(p.m, p.n, p.k, {p.a, p.a_row, p.a_col}, p.panels, Update{p.alpha, p.beta}, {p.c, p.c_row, p.c_col});
}

void multiply_short(const ShortProduct& p) {
  // few where few samples leave a factor of low rank; so many that fp64 takes little time where time counts
  int terms = p.k < 362 ? most(2, p.k * p.k / 2048) : 64;
  ShortSums update = {p.alpha, p.beta, terms};
  multiply<ColumnsBand>(p.m, p.n, p.k, {p.a, 1, p.a_col}, p.panels, update, {p.c, p.c_row, 1});
}

}  // namespace kfac::KFAC_ISA
