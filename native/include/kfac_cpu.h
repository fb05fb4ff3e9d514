/* C interface of libkfac_cpu: K-FAC verbs on a CPU, in fp32, with the widest vectors that the machine has.
 *
 * Conventions
 * - Matrices are row-major, contiguous and fp32; all memory is the caller's.
 * - A call runs on the caller's thread and does not block; different threads may call at the same time with different
 *   results and different work memory. Same inputs, same machine, same bits.
 * - Arguments are trusted: sizes fit, pointers are valid. Work memory may hold anything.
 */
#ifndef KFAC_CPU_H
#define KFAC_CPU_H
#include <stddef.h>
#include <stdint.h>

#ifdef _WIN32
#define KFAC_CPU_API
#else
#define KFAC_CPU_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* The instruction set in use: "avx512", "avx2" or "portable". The environment variable KFAC_CPU_INSTRUCTIONS names a
 * lesser one, or nothing if it is none of these; it is read once. */
KFAC_CPU_API const char* kfac_cpu_instructions(void);

/* Work cut into phases of independent tasks; a phase begins when the one before has ended. The cut depends on sizes
 * alone, and so do the bits of the result. */
typedef struct kfac_cpu_plan kfac_cpu_plan;

/* How many matrices of n x n one call of kfac_cpu_invert works on side by side: calls with a multiple are fastest. */
KFAC_CPU_API int32_t kfac_cpu_lanes(int32_t n);

/* The floats of work memory that kfac_cpu_invert needs for matrices of n x n. */
KFAC_CPU_API int64_t kfac_cpu_invert_floats(int32_t n);

/* Inverses of `count` damped symmetric matrices of one size: inverse[k] = (scale[k] source[k] + damping[k] I)^-1.
 *
 * source[k], inverse[k]: n x n. Only the lower triangle of a source is read; an inverse is symmetric to the bit.
 * status[k]: 0; -1 if the damped matrix or its inverse holds a NaN or an infinity; or the 1-based pivot of the Cholesky
 * factorisation that is not positive. Unless it is 0, inverse[k] keeps its value. */
KFAC_CPU_API void kfac_cpu_invert(int32_t n, int32_t count, const float* const* source, const double* scale,
                                  const double* damping, float* const* inverse, int32_t* status, float* work);

/* The same for one matrix, as a plan, to be released; beyond n = 16, where kfac_cpu_invert works in fp64, the same bits
 * as of kfac_cpu_invert for one. Its status, once the last phase has ended, is that of kfac_cpu_invert. */
KFAC_CPU_API kfac_cpu_plan* kfac_cpu_invert_plan(int32_t n, const float* source, double scale, double damping,
                                                 float* inverse);

/* The sum of x[i] y[i] in fp64. */
KFAC_CPU_API double kfac_cpu_dot(int64_t n, const float* x, const float* y);

/* The sum of u[i][j] w[i][j] in fp64, and then copy[i][j] = u[i][j]: a row of u is u_stride long, one of w and of copy
 * w_stride. The copy may lie where w does. */
KFAC_CPU_API double kfac_cpu_dot_and_copy(int32_t rows, int32_t cols, const float* u, int64_t u_stride, const float* w,
                                          int64_t w_stride, float* copy);

/* B = A' with A rows x cols; the two may be parts of one matrix that do not overlap. */
KFAC_CPU_API void kfac_cpu_transpose(int32_t rows, int32_t cols, const float* a, int64_t a_stride, float* b,
                                     int64_t b_stride);

/* Products whose right operand is packed first, into panels of kfac_cpu_panel_width columns.
 *
 * kfac_cpu_pack packs B, k x n, element (i, j) at b[i * row + j * col]: panel p holds columns p width to (p + 1) width
 * - 1 of row 0, then of row 1, and so on, zeros beyond column n. Any run of whole panels can be packed on its own:
 * panels, aligned to 64 bytes, begins k * p * width floats further on. kfac_cpu_multiply: C = alpha A B + beta C with A
 * m x k, and C m x n; with beta 0, C is not read. Of the two strides of each matrix one is 1. The bits of an element of
 * C depend on k alone, not on how C is cut. */
KFAC_CPU_API int32_t kfac_cpu_panel_width(void);
KFAC_CPU_API void kfac_cpu_pack(int32_t k, int32_t n, const float* b, int64_t row, int64_t col, float* panels);
KFAC_CPU_API void kfac_cpu_multiply(int32_t m, int32_t n, int32_t k, const float* a, int64_t a_row, int64_t a_col,
                                    const float* panels, float alpha, float beta, float* c, int64_t c_row,
                                    int64_t c_col);
/* C = alpha A B + beta C, columns of A and rows of C contiguous, for sums that must not drift: terms that are alike are
 * all rounded the same way. fp32 adds 2 terms up to k = 64, k^2 / 2048 up to 362, then 64; fp64 adds those sums up, and
 * what becomes of up to 576 terms is rounded once. */
KFAC_CPU_API void kfac_cpu_multiply_short(int32_t m, int32_t n, int32_t k, const float* a, int64_t a_col,
                                          const float* panels, double alpha, double beta, float* c, int64_t c_row);

/* The samples of a convolution, which are the patches of its images, and where these lie: channel c of group k and
 * position p = row * width + column of example n at
 * images[n * example_stride + (k * channels + c) * channel_stride + p * position_stride]. One of the last two strides
 * is 1. A dimension with its padding, a dilated kernel and a stride are at most 2^27. */
typedef struct kfac_cpu_patch_samples {
  int64_t examples, groups, channels, height, width; /* channels of one group */
  int64_t example_stride, channel_stride, position_stride;
  int64_t kernel_height, kernel_width, stride_height, stride_width;
  int64_t padding_height, padding_width, dilation_height, dilation_width;
  int64_t bias; /* 1: a coordinate of value 1 follows each patch */
} kfac_cpu_patch_samples;

enum kfac_cpu_method {
  KFAC_CPU_CHEAPEST = 0,
  KFAC_CPU_SHIFT = 1,    /* correlations of the images with themselves, shift by shift; stride and dilation 1 */
  KFAC_CPU_SPECTRAL = 2, /* the same by discrete Fourier transforms */
  KFAC_CPU_FUSED = 3,    /* a symmetric product of patches, gathered a few at a time; any convolution */
  KFAC_CPU_LANES = 4     /* the same with a group in each lane of a vector; any convolution, for many narrow groups */
};

/* The second moments of the patches of each group, which are never stored: target = decay target + weight sum over
 * patches x of x x', patches as vectors over (channel, kernel row, kernel column), zeros beyond the image. Sums are
 * fp64. target: groups x dim x dim, symmetric on entry and to the bit on return; with decay 0 it is overwritten
 * whatever it holds. Correlations lose digits where padding is far from "same", and are then not chosen. Returns a
 * plan, to be released. Images and target are the caller's and are used until the last task ends. */
KFAC_CPU_API kfac_cpu_plan* kfac_cpu_accumulate_plan(const kfac_cpu_patch_samples* samples, const float* images,
                                                     double decay, double weight, float* target, int32_t method);
KFAC_CPU_API int32_t kfac_cpu_plan_phases(const kfac_cpu_plan* plan);
KFAC_CPU_API int32_t kfac_cpu_plan_tasks(const kfac_cpu_plan* plan, int32_t phase);
/* Floats of memory, aligned to 64 bytes, that all tasks share from the first phase to the last. */
KFAC_CPU_API int64_t kfac_cpu_plan_shared(const kfac_cpu_plan* plan);
/* Floats of memory, aligned to 64 bytes, that one task needs for itself. */
KFAC_CPU_API int64_t kfac_cpu_plan_scratch(const kfac_cpu_plan* plan);
KFAC_CPU_API void kfac_cpu_plan_run(const kfac_cpu_plan* plan, int32_t phase, int32_t task, float* shared,
                                    float* scratch);
/* 0, or why there is no result. */
KFAC_CPU_API int32_t kfac_cpu_plan_status(const kfac_cpu_plan* plan);
KFAC_CPU_API void kfac_cpu_plan_free(kfac_cpu_plan* plan);

#ifdef __cplusplus
}
#endif
#endif
