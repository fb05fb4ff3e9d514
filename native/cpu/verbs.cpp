// The table of one instruction set.
#include "verbs.h"
#include "vector.h"

namespace kfac::KFAC_ISA {

int lanes(int n);
size_t invert_floats(int n);
void invert(const InvertRequest& request, float* work);
Plan* invert_plan(int n, const float* source, double scale, double damping, float* inverse);
double dot(int64_t n, const float* x, const float* y);
void transpose(int rows, int cols, const float* a, int64_t a_stride, float* b, int64_t b_stride);
int panel_width();
void pack(int k, int n, const float* b, int64_t row, int64_t col, float* panels);
void multiply(const PanelProduct& product);
void multiply_short(const ShortProduct& product);
Plan* accumulate_plan(const AccumulateRequest& request, int method);

#define KFAC_TEXT(x) #x
#define KFAC_NAME(x) KFAC_TEXT(x)

const Verbs verbs = {KFAC_NAME(KFAC_ISA), lanes,       invert_floats, invert,   invert_plan,    dot,
                     transpose,           panel_width, pack,          multiply, multiply_short, accumulate_plan};

}  // namespace kfac::KFAC_ISA
