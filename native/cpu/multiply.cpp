#include "panels.h"

namespace kfac::KFAC_ISA {

int panel_width() { return P; }

void pack(int k, int n, const float* b, int64_t row, int64_t col, float* panels) {
  for (int j = 0; j < n; j += P) pack_panel({b, row, col}, j, least(P, n - j), k, panels + (size_t)j * k);
}

void multiply(const PanelProduct& p) {
  multiply(p.m, p.n, p.k, {p.a, p.a_row, p.a_col}, p.panels, {p.alpha, p.beta}, {p.c, p.c_row, p.c_col});
}

}  // namespace kfac::KFAC_ISA
