/* C interface of libkfac_cpu: K-FAC verbs on a CPU, in fp32, with the widest vectors that the machine has.
 *
 * Conventions
 * - Matrices are row-major, contiguous and fp32; all memory is the caller's.
 * - A call runs on the caller's thread and neither allocates nor blocks; different threads may call at the same time
 *   with different results and different work memory. Same inputs, same machine, same bits.
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
 * lesser one; it is read once. */
KFAC_CPU_API const char* kfac_cpu_instructions(void);

/* How many small matrices one call of kfac_cpu_invert works on side by side. */
KFAC_CPU_API int32_t kfac_cpu_lanes(void);

/* The floats of work memory that kfac_cpu_invert needs for matrices of n x n. */
KFAC_CPU_API int64_t kfac_cpu_invert_floats(int32_t n);

/* Inverses of `count` damped symmetric matrices of one size: inverse[k] = (scale[k] source[k] + damping[k] I)^-1.
 *
 * source[k], inverse[k]: n x n. Only the lower triangle of a source is read; an inverse is symmetric to the bit.
 * status[k]: 0; -1 if the damped matrix or its inverse holds a NaN or an infinity; or the 1-based pivot of the Cholesky
 * factorisation that is not positive. Unless it is 0, inverse[k] keeps its value. */
KFAC_CPU_API void kfac_cpu_invert(int32_t n, int32_t count, const float* const* source, const double* scale,
                                  const double* damping, float* const* inverse, int32_t* status, float* work);

#ifdef __cplusplus
}
#endif
#endif
