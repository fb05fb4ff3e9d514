/* C interface of libkfac_cuda: the K-FAC verbs on CUDA, one call for all layers.
 *
 * Conventions
 * - Matrices are row-major, contiguous, fp32 unless a dtype says otherwise; a stack of matrices is [count, n, n].
 * - All pointers inside requests but kfac_upload_request.values are device pointers, and stay owned by the caller. The
 * request arrays themselves are host memory and may be reused as soon as the call returns; device memory may be reused
 * in stream order.
 * - Calls only enqueue work on the stream; they never synchronise, allocate device memory or copy from the host, so
 *   they can be captured into a CUDA graph, after one call outside of it: CUDA loads a kernel at its first launch,
 * which a capture may refuse (CUDA_MODULE_LOADING=EAGER loads them all at the start). Results are the same bits on
 * every run.
 * - Every verb takes a workspace of at least kfac_VERB_workspace(same requests) bytes, aligned to 256 bytes. It may be
 *   reused by the next call on the same stream. The query returns a negative status if a request is invalid.
 * - Status: 0 is success, negative values are below, positive values are cudaError_t.
 *   After a failed call kfac_error_detail() names the request and the value at fault.
 */
#ifndef KFAC_CUDA_H
#define KFAC_CUDA_H

#ifdef _WIN32
#define KFAC_API
#else
#define KFAC_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

struct CUstream_st;
typedef struct CUstream_st* kfac_stream; /* is a cudaStream_t; null is the default stream */

/* Changes whenever a struct or a function of this header does. */
#define KFAC_CUDA_ABI 10

enum kfac_status {
  KFAC_OK = 0,
  KFAC_INVALID_ARGUMENT = -1, /* null pointer, negative size, unknown enum value */
  KFAC_MISALIGNED = -2,       /* a pointer is no multiple of its element size, or the workspace of 256 */
  KFAC_WORKSPACE_TOO_SMALL = -3,
  KFAC_TOO_LARGE = -4, /* a size exceeds what one call can index */
  KFAC_OUT_OF_HOST_MEMORY = -5
};

enum kfac_dtype { KFAC_F32 = 0, KFAC_BF16 = 1, KFAC_F16 = 2, KFAC_F64 = 3 /* only where a request says so */ };

/* How fp32 products are formed. Both are accurate to fp32. */
enum kfac_math {
  KFAC_SPLIT_F16 = 0, /* tensor cores, each fp32 value as two fp16 numbers, sums promoted to fp32 registers */
  KFAC_FFMA = 1       /* fp32 multiply-add */
};

/* Per-matrix result of an inversion or eigendecomposition: 0 or one of these, or k > 0: not positive definite at pivot
 * k. */
enum kfac_matrix_status {
  KFAC_MATRIX_OK = 0,
  KFAC_MATRIX_NOT_FINITE = -1,
  KFAC_MATRIX_INACCURATE = -2,   /* an inverse whose error is above the bound */
  KFAC_MATRIX_NOT_CONVERGED = -3 /* eigenvectors or eigenvalues that are not those of the matrix */
};

/* How a matrix of size n is inverted. The first two give the rounded fp64 inverse; the others are accurate to fp32 and
 * differ in speed alone. */
enum kfac_inversion {
  KFAC_INVERT_BY_SIZE = 0,       /* as the table in cuda/invert_table.h says */
  KFAC_INVERT_FP64_8 = 1,        /* n <= 8: one thread for each matrix, in fp64 */
  KFAC_INVERT_FP64_32 = 2,       /* n <= 32: one warp for each matrix, in fp64 */
  KFAC_INVERT_REGISTERS_64 = 3,  /* n <= 64: one warp for each matrix */
  KFAC_INVERT_REGISTERS_128 = 4, /* n <= 128: one block for each matrix */
  KFAC_INVERT_SWEEP = 5,         /* any n: blocks of 128 columns, all matrices in lock-step */
  KFAC_INVERT_CUSOLVER = 6       /* any n: cuSOLVER's potrf and potri between kfac_damp and kfac_mirror, which is the
                                  * caller's to do; kfac_invert refuses it, and takes the sweep if the table names it */
};

KFAC_API int kfac_cuda_abi(void);                /* KFAC_CUDA_ABI of the library */
KFAC_API const char* kfac_cuda_build(void);      /* compiler and architectures, or "emulated ..." */
KFAC_API int kfac_cuda_device_count(int* count); /* a cudaError_t without a driver; never fails to load */
KFAC_API const char* kfac_error_string(int status);
KFAC_API const char* kfac_error_detail(void); /* about the last failed call of this thread, or "" */

/* The vectors of which a second moment is taken: the rows of a matrix that is never stored.
 *
 * Activations are indexed [batch, channel, y, x] through strides in elements. Row (b, oy, ox), in this order, holds the
 * patch at output position (oy, ox) of example b: its columns are (channel of the group, ky, kx), zero outside the
 * image, then a constant 1 if bias is set. So there are batch * out_height * out_width rows and
 * n = channels / groups * kernel_height * kernel_width + bias columns, for each group.
 *
 *   what                           batch  channels  height, width  strides (batch, channel, y, x)
 *   NCHW image                     N      C         H, W           C*H*W, H*W, W, 1
 *   NHWC image                     N      C         H, W           H*W*C, 1, W*C, C
 *   matrix [rows, n], leading ld   rows   n         1, 1           ld, 1, 0, 0
 *   gradients [N, C, T]            N      C         1, T           C*T, T, 0, 1
 *
 * The last two have kernels and strides 1, padding 0, dilation 1.
 */
typedef struct kfac_samples {
  const void* data;
  int dtype; /* kfac_dtype */
  int bias;  /* 0 or 1 */
  int groups;
  long long batch, channels, height, width;
  long long batch_stride, channel_stride, y_stride, x_stride;
  int kernel_height, kernel_width;
  int stride_height, stride_width;
  int padding_height, padding_width;
  int dilation_height, dilation_width;
} kfac_samples;

/* out [groups, rows, n] := the samples. */
typedef struct kfac_patches_request {
  kfac_samples samples;
  float* out;
} kfac_patches_request;
KFAC_API long long kfac_patches_workspace(const kfac_patches_request* requests, int count);
KFAC_API int kfac_patches(const kfac_patches_request* requests, int count, void* workspace, long long bytes,
                          kfac_stream stream);

/* target [groups, n, n] := decay target + weight sum over samples x of x x'.
 * The lower triangle of target is read (not at all if decay is 0); both are written, exactly symmetric.
 * bf16 and fp16 samples always use tensor cores: their products are exact. */
typedef struct kfac_accumulate_request {
  kfac_samples samples;
  float* target;
  float weight, decay;
} kfac_accumulate_request;
KFAC_API long long kfac_accumulate_workspace(const kfac_accumulate_request* requests, int count, int math);
KFAC_API int kfac_accumulate(const kfac_accumulate_request* requests, int count, int math, void* workspace,
                             long long bytes, kfac_stream stream);

/* inverse [count, n, n] := (scale matrix + damping I)^-1, as symmetric as matrix is, for each matrix of the stack.
 * status [count] receives a kfac_matrix_status; where it is not 0, that inverse is left as it was.
 * matrix [count, n, n] must be symmetric; inverse may be matrix.
 * dampings: if not null, [count] dampings in device memory that take the place of damping.
 * algorithm: KFAC_INVERT_BY_SIZE but for measurements. */
typedef struct kfac_invert_request {
  const float* matrix;
  float* inverse;
  int* status;
  const float* dampings;
  float scale, damping;
  int n, count;
  int algorithm; /* kfac_inversion */
} kfac_invert_request;
KFAC_API int kfac_inversion_by_size(int n, int count); /* the table's algorithm for count matrices in a request */
KFAC_API long long kfac_invert_workspace(const kfac_invert_request* requests, int count, int math);
KFAC_API int kfac_invert(const kfac_invert_request* requests, int count, int math, void* workspace, long long bytes,
                         kfac_stream stream);

/* How far inverses are from inverses, with M = scale matrix + damping I and X = inverse [count, n, n]: errors [count]
 * := an estimate of the spectral norm of X M - I, which is how far X v is from M^-1 v, in relation to M^-1 v, at most.
 * That is 0.4 2^-24 tr(M) tr(X) if it is at most bound, else the largest |X (M z) - z| of four fixed vectors z of
 * random signs, in fp64, which may be too small by a factor of up to 3. Where that is above bound / 2, status becomes
 * KFAC_MATRIX_INACCURATE, or KFAC_MATRIX_NOT_FINITE if it is not finite. A matrix whose status is not KFAC_MATRIX_OK is
 * left out; its element of errors is not written. Other arguments as in kfac_invert_request. */
typedef struct kfac_inverse_error_request {
  const float* matrix;
  const float* inverse;
  double* errors;
  int* status;
  const float* dampings;
  float scale, damping;
  double bound;
  int n, count;
} kfac_inverse_error_request;
KFAC_API long long kfac_inverse_error_workspace(const kfac_inverse_error_request* requests, int count);
KFAC_API int kfac_inverse_error(const kfac_inverse_error_request* requests, int count, void* workspace, long long bytes,
                                kfac_stream stream);

/* damped [count, n, n] := scale matrix + damping I and status [count] := KFAC_MATRIX_OK, or KFAC_MATRIX_NOT_FINITE
 * where that is not finite: what a factorisation by another library begins with. dtype: of damped, KFAC_F32 or
 * KFAC_F64. Other arguments as in kfac_invert_request. */
typedef struct kfac_damp_request {
  const float* matrix;
  void* damped;
  int* status;
  const float* dampings;
  double scale, damping;
  int n, count, dtype;
} kfac_damp_request;
KFAC_API long long kfac_damp_workspace(const kfac_damp_request* requests, int count);
KFAC_API int kfac_damp(const kfac_damp_request* requests, int count, void* workspace, long long bytes,
                       kfac_stream stream);

/* What an inversion ends with: inverse [count, n, n] := the lower triangles of lower [count, n, n], mirrored, where
 * both status [count] and pivots [count] are 0. Else that inverse is left as it was, and status takes the value of
 * pivots unless it was set before. dtype: of lower, KFAC_F32 or KFAC_F64. pivots may be status. */
typedef struct kfac_mirror_request {
  const void* lower;
  float* inverse;
  int* status;
  const int* pivots;
  int n, count, dtype;
} kfac_mirror_request;
KFAC_API long long kfac_mirror_workspace(const kfac_mirror_request* requests, int count);
KFAC_API int kfac_mirror(const kfac_mirror_request* requests, int count, void* workspace, long long bytes,
                         kfac_stream stream);

/* Eigenvectors and eigenvalues of small symmetric matrices, matrix [count, n, n] with n <= KFAC_JACOBI_SIZE, by Jacobi
 * rotations in fp64: row j of vectors [count, n, n] := eigenvector j, values [count, n] := the eigenvalues, ascending,
 * infos [count] := 0, or 1 where the iteration did not end. Lower triangles are read; vectors may be matrix. A matrix
 * whose status [count] is not KFAC_MATRIX_OK is left out: nothing of it is written. */
#define KFAC_JACOBI_SIZE 64
typedef struct kfac_jacobi_request {
  const double* matrix;
  double* vectors;
  double* values;
  const int* status;
  int* infos;
  int n, count;
} kfac_jacobi_request;
KFAC_API long long kfac_jacobi_workspace(const kfac_jacobi_request* requests, int count);
KFAC_API int kfac_jacobi(const kfac_jacobi_request* requests, int count, void* workspace, long long bytes,
                         kfac_stream stream);

/* Whether eigenvectors and eigenvalues are those of matrix [count, n, n], all in fp64:
 * status [count] := KFAC_MATRIX_NOT_CONVERGED where infos [count] is not 0 or |A Q - Q diag(w)| > 10 n 2^-52 |A| in the
 * Frobenius norm, KFAC_MATRIX_NOT_FINITE where an eigenvalue is beyond largest; KFAC_MATRIX_OK stays where neither is
 * the case, and what is not KFAC_MATRIX_OK stays. vectors, products [count, n, n]: row j is eigenvector j, and the
 * matrix times it. values [count, n]. */
typedef struct kfac_eigen_check_request {
  const double* matrix;
  const double* vectors;
  const double* products;
  const double* values;
  const int* infos;
  int* status;
  double largest;
  int n, count;
} kfac_eigen_check_request;
KFAC_API long long kfac_eigen_check_workspace(const kfac_eigen_check_request* requests, int count);
KFAC_API int kfac_eigen_check(const kfac_eigen_check_request* requests, int count, void* workspace, long long bytes,
                              kfac_stream stream);

/* Where status [count] is KFAC_MATRIX_OK, columns [count, n, n] := the transposes of vectors and rounded [count, n] :=
 * values, in fp32 or fp64 as vectors_dtype and values_dtype say. vectors, values as above. */
typedef struct kfac_eigen_store_request {
  const double* vectors;
  const double* values;
  const int* status;
  void* columns;
  void* rounded;
  int n, count, vectors_dtype, values_dtype;
} kfac_eigen_store_request;
KFAC_API long long kfac_eigen_store_workspace(const kfac_eigen_store_request* requests, int count);
KFAC_API int kfac_eigen_store(const kfac_eigen_store_request* requests, int count, void* workspace, long long bytes,
                              kfac_stream stream);

/* to [rows, columns] := from [rows, columns], each KFAC_F32 or KFAC_F64. Rows of from begin from_pitch elements apart,
 * those of to to_pitch. The two must not overlap. */
typedef struct kfac_convert_request {
  const void* from;
  void* to;
  long long rows, columns, from_pitch, to_pitch;
  int from_dtype, to_dtype;
} kfac_convert_request;
KFAC_API long long kfac_convert_workspace(const kfac_convert_request* requests, int count);
KFAC_API int kfac_convert(const kfac_convert_request* requests, int count, void* workspace, long long bytes,
                          kfac_stream stream);

/* U = scale G^-1 dW A^-1 for one layer, group by group.
 * dW is [out, in + bias]: weight_gradient [out, in] and, if not null, bias_gradient [out] as last column.
 * g_inverse [groups, out / groups, out / groups], a_inverse [groups, in + bias, in + bias]; neither need be symmetric.
 * weight_result, bias_result: U in the same layout; may be the gradients themselves.
 * inner: <U, dW>, one fp64 number in device memory, summed in a fixed order.
 *
 * fp32 leaves an error of u |dW| in all directions (u = 2^-24), also in those in which dW has nothing and inverses are
 * largest. If g_norms, a_norms and norms are not null, norms [2] tells how much of U that may be: norms[0] := scale^2
 * times the sum over groups of |dW|^2 |G^-1|^2 / rows |A^-1|^2 / columns, norms[1] := |U|^2, Frobenius norms
 * throughout, in fp64, in a fixed order. Errors were 0.5 to 6.4 u sqrt(norms[0] / norms[1]) of U. g_norms, a_norms
 * [groups]: what kfac_squared_norms gives of the inverses. */
typedef struct kfac_precondition_request {
  const float* g_inverse;
  const float* a_inverse;
  const float* weight_gradient;
  const float* bias_gradient;
  float* weight_result;
  float* bias_result;
  double* inner;
  int groups, out, in;
  float scale;
  const double* g_norms;
  const double* a_norms;
  double* norms;
} kfac_precondition_request;
KFAC_API long long kfac_precondition_workspace(const kfac_precondition_request* requests, int count, int math);
KFAC_API int kfac_precondition(const kfac_precondition_request* requests, int count, int math, void* workspace,
                               long long bytes, kfac_stream stream);

/* x [size] := x / (scale moments + damping), element by element, in fp64: the middle of preconditioning in a Kronecker
 * basis, U = Qg [(Qg' dW Qa) / (scale M + damping)] Qa'. dtype: of moments, KFAC_F32 or KFAC_F64.
 * inner: sum of x^2 / (scale moments + damping), which is <U, dW>: one fp64 number in device memory, summed in a fixed
 * order. */
typedef struct kfac_divide_request {
  const void* moments;
  double* x;
  double* inner;
  double scale, damping;
  long long size;
  int dtype;
} kfac_divide_request;
KFAC_API long long kfac_divide_workspace(const kfac_divide_request* requests, int count);
KFAC_API int kfac_divide(const kfac_divide_request* requests, int count, void* workspace, long long bytes,
                         kfac_stream stream);

/* y [size] := decay y + weight sum over k < terms of x[k]^2, element by element, x [terms, size], in fp64 and rounded
 * once; y is not read if decay is 0. Second moments in a Kronecker basis, x[k] being the gradient of example k there.
 */
typedef struct kfac_squares_request {
  const double* x;
  float* y;
  long long terms, size;
  float weight, decay;
} kfac_squares_request;
KFAC_API long long kfac_squares_workspace(const kfac_squares_request* requests, int count);
KFAC_API int kfac_squares(const kfac_squares_request* requests, int count, void* workspace, long long bytes,
                          kfac_stream stream);

/* to [bytes] := values [bytes], which are host memory and travel with the launch: they may be reused as soon as the
 * call returns, and a captured graph writes the same each time it is launched. For parameters of other verbs: 28 KB
 * take a launch. bytes must be a multiple of 4. */
typedef struct kfac_upload_request {
  const void* values;
  void* to;
  long long bytes;
} kfac_upload_request;
KFAC_API long long kfac_upload_workspace(const kfac_upload_request* requests, int count);
KFAC_API int kfac_upload(const kfac_upload_request* requests, int count, void* workspace, long long bytes,
                         kfac_stream stream);

/* x [size] := *factor x, factor in device memory. */
typedef struct kfac_scale_request {
  float* x;
  const float* factor;
  long long size;
} kfac_scale_request;
KFAC_API long long kfac_scale_workspace(const kfac_scale_request* requests, int count);
KFAC_API int kfac_scale(const kfac_scale_request* requests, int count, void* workspace, long long bytes,
                        kfac_stream stream);

/* traces [count]: of the matrices of the stack [count, n, n], summed in fp64. */
typedef struct kfac_traces_request {
  const float* matrix;
  double* traces;
  int n, count;
} kfac_traces_request;
KFAC_API long long kfac_traces_workspace(const kfac_traces_request* requests, int count);
KFAC_API int kfac_traces(const kfac_traces_request* requests, int count, void* workspace, long long bytes,
                         kfac_stream stream);

/* norms [count]: of each matrix of the stack [count, n, n] the sum of its elements' squares, in fp64 and in an order
 * that n alone decides. */
typedef struct kfac_squared_norms_request {
  const float* matrix;
  double* norms;
  int n, count;
} kfac_squared_norms_request;
KFAC_API long long kfac_squared_norms_workspace(const kfac_squared_norms_request* requests, int count);
KFAC_API int kfac_squared_norms(const kfac_squared_norms_request* requests, int count, void* workspace, long long bytes,
                                kfac_stream stream);

/* *first := index of the first element of x [size] that is infinite or not a number, -1 if there is none. */
typedef struct kfac_first_non_finite_request {
  const void* x;
  long long* first;
  long long size;
  int dtype; /* kfac_dtype */
} kfac_first_non_finite_request;
KFAC_API long long kfac_first_non_finite_workspace(const kfac_first_non_finite_request* requests, int count);
KFAC_API int kfac_first_non_finite(const kfac_first_non_finite_request* requests, int count, void* workspace,
                                   long long bytes, kfac_stream stream);

/* *largest := the largest |x| of x [size], 0 if there is none; infinity if an element is infinite, not a number if one
 * is not a number. */
typedef struct kfac_largest_request {
  const void* x;
  float* largest;
  long long size;
  int dtype; /* kfac_dtype but KFAC_F64 */
} kfac_largest_request;
KFAC_API long long kfac_largest_workspace(const kfac_largest_request* requests, int count);
KFAC_API int kfac_largest(const kfac_largest_request* requests, int count, void* workspace, long long bytes,
                          kfac_stream stream);

#ifdef __cplusplus
}
#endif
#endif
