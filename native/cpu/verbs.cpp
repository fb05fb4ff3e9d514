// The table of one instruction set.
#include "verbs.h"
#include "vector.h"

namespace kfac::KFAC_ISA {

size_t invert_floats(int n);
void invert(const Inversions& request, float* work);
Plan* patch_moment(const PatchMoment& request, int method);

#define KFAC_TEXT(x) #x
#define KFAC_NAME(x) KFAC_TEXT(x)

const Verbs verbs = {KFAC_NAME(KFAC_ISA), W, invert_floats, invert, patch_moment};

}  // namespace kfac::KFAC_ISA
