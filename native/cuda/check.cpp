#include "check.h"
#include "invert_table.h"
#include "view.h"

namespace kfac {
namespace {

constexpr int LARGEST_MATRIX = 1 << 20;

int bytes_of(int dtype) { return dtype == KFAC_F64 ? 8 : dtype == KFAC_F32 ? 4 : 2; }

void full_precision(Checker& c, int dtype) {
  c.require(dtype == KFAC_F32 || dtype == KFAC_F64, "dtype must be KFAC_F32 or KFAC_F64", dtype);
}

void elements_of(Checker& c, const void* x, long long size, int dtype) {
  c.require(dtype >= KFAC_F32 && dtype <= KFAC_F16, "unknown dtype", dtype);
  c.require(size >= 0, "size must not be negative", size);
  c.elements({size}, "x");
  if (size > 0) c.pointer(x, bytes_of(dtype), "x");
}

void matrix(Checker& c, int n, int count, const char* name) {
  c.require(n >= 1, "n must be at least 1", n);
  c.require(count >= 0, "count must not be negative", count);
  if (n > LARGEST_MATRIX) c.fail(KFAC_TOO_LARGE, "n is limited to 2^20", n);
  c.elements({count, n, n}, name);
}

void axis(Checker& c, long long size, int kernel, int stride, int padding, int dilation) {
  c.require(size >= 1, "image height and width must be at least 1", size);
  c.require(kernel >= 1, "kernel must be at least 1", kernel);
  c.require(stride >= 1, "stride must be at least 1", stride);
  c.require(padding >= 0, "padding must not be negative", padding);
  c.require(dilation >= 1, "dilation must be at least 1", dilation);
  if (!c.ok()) return;
  const long long extent = (kernel - 1LL) * dilation + 1;
  if (size > LARGEST_EXTENT || padding > LARGEST_EXTENT || size + 2LL * padding > LARGEST_EXTENT)
    c.fail(KFAC_TOO_LARGE, "image height and width with padding are limited to 2^27", size);
  if (extent > LARGEST_EXTENT) c.fail(KFAC_TOO_LARGE, "the dilated kernel is limited to 2^27", extent);
  c.require(extent <= size + 2LL * padding, "the dilated kernel must fit into the padded image", extent);
}

}  // namespace

void check(Checker& c, const kfac_samples& r) {
  c.require(r.dtype >= KFAC_F32 && r.dtype <= KFAC_F16, "unknown dtype", r.dtype);
  c.require(r.bias == 0 || r.bias == 1, "bias must be 0 or 1", r.bias);
  c.require(r.batch >= 0, "batch must not be negative", r.batch);
  c.require(r.groups >= 1, "groups must be at least 1", r.groups);
  c.require(r.channels >= 1, "channels must be at least 1", r.channels);
  c.require(r.channels % (r.groups > 0 ? r.groups : 1) == 0, "channels must be a multiple of groups", r.channels);
  c.require(r.batch_stride >= 0 && r.channel_stride >= 0 && r.y_stride >= 0 && r.x_stride >= 0,
            "strides must not be negative", 0);
  axis(c, r.height, r.kernel_height, r.stride_height, r.padding_height, r.dilation_height);
  axis(c, r.width, r.kernel_width, r.stride_width, r.padding_width, r.dilation_width);
  if (r.batch > 0) c.pointer(r.data, bytes_of(r.dtype), "data");
  if (!c.ok()) return;
  c.elements({r.batch, r.batch_stride}, "the batch");
  c.elements({r.channels, r.channel_stride}, "an example");
  c.elements({r.height + 2LL * r.padding_height, r.y_stride}, "an image");
  c.elements({r.width + 2LL * r.padding_width, r.x_stride}, "an image line");
  if (r.channels > LARGEST_MATRIX || r.kernel_height > LARGEST_MATRIX || r.kernel_width > LARGEST_MATRIX ||
      r.channels / r.groups * r.kernel_height >= LARGEST_MATRIX ||
      r.channels / r.groups * r.kernel_height * r.kernel_width >= LARGEST_MATRIX)
    return c.fail(KFAC_TOO_LARGE, "columns of a patch are limited to 2^20", r.channels);
  const long long out_height =
      out_size(r.height, r.kernel_height, r.stride_height, r.padding_height, r.dilation_height);
  const long long out_width = out_size(r.width, r.kernel_width, r.stride_width, r.padding_width, r.dilation_width);
  c.elements({r.batch, out_height, out_width}, "the samples");
}

void check(Checker& c, const kfac_patches_request& q) {
  check(c, q.samples);
  if (!c.ok()) return;
  const View view(q.samples);
  c.elements({q.samples.groups, view.rows, view.columns}, "out");
  if (view.rows > 0) c.pointer(q.out, 4, "out");
}

void check(Checker& c, const kfac_accumulate_request& q) {
  check(c, q.samples);
  c.pointer(q.target, 4, "target");
  if (!c.ok()) return;
  const View view(q.samples);
  c.elements({q.samples.groups, view.columns, view.columns}, "target");
}

void check(Checker& c, const kfac_invert_request& q) {
  matrix(c, q.n, q.count, "matrix");
  c.require(q.algorithm >= KFAC_INVERT_BY_SIZE && q.algorithm <= KFAC_INVERT_CUSOLVER, "unknown algorithm",
            q.algorithm);
  c.require(q.algorithm != KFAC_INVERT_CUSOLVER, "cuSOLVER has to be called between kfac_damp and kfac_mirror",
            q.algorithm);
  c.require(q.n <= largest_for(q.algorithm), "n is too large for this algorithm", q.n);
  if (q.count == 0) return;
  c.pointer(q.matrix, 4, "matrix");
  c.pointer(q.inverse, 4, "inverse");
  c.pointer(q.status, 4, "status");
  if (q.dampings) c.pointer(q.dampings, 4, "dampings");
}

void check(Checker& c, const kfac_inverse_error_request& q) {
  matrix(c, q.n, q.count, "matrix");
  c.require(q.bound >= 0.0, "bound must not be negative", 0);
  if (q.count == 0) return;
  c.pointer(q.matrix, 4, "matrix");
  c.pointer(q.inverse, 4, "inverse");
  c.pointer(q.errors, 8, "errors");
  c.pointer(q.status, 4, "status");
  if (q.dampings) c.pointer(q.dampings, 4, "dampings");
}

void check(Checker& c, const kfac_jacobi_request& q) {
  matrix(c, q.n, q.count, "matrix");
  c.require(q.n <= KFAC_JACOBI_SIZE, "n must be at most KFAC_JACOBI_SIZE", q.n);
  if (q.count == 0) return;
  c.pointer(q.matrix, 8, "matrix");
  c.pointer(q.vectors, 8, "vectors");
  c.pointer(q.values, 8, "values");
  c.pointer(q.status, 4, "status");
  c.pointer(q.infos, 4, "infos");
}

void check(Checker& c, const kfac_eigen_check_request& q) {
  matrix(c, q.n, q.count, "matrix");
  if (q.count == 0) return;
  c.pointer(q.matrix, 8, "matrix");
  c.pointer(q.vectors, 8, "vectors");
  c.pointer(q.products, 8, "products");
  c.pointer(q.values, 8, "values");
  c.pointer(q.infos, 4, "infos");
  c.pointer(q.status, 4, "status");
}

void check(Checker& c, const kfac_eigen_store_request& q) {
  matrix(c, q.n, q.count, "vectors");
  full_precision(c, q.vectors_dtype);
  full_precision(c, q.values_dtype);
  if (q.count == 0) return;
  c.pointer(q.vectors, 8, "vectors");
  c.pointer(q.values, 8, "values");
  c.pointer(q.status, 4, "status");
  c.pointer(q.columns, bytes_of(q.vectors_dtype), "columns");
  c.pointer(q.rounded, bytes_of(q.values_dtype), "rounded");
}

void check(Checker& c, const kfac_convert_request& q) {
  c.require(q.rows >= 0 && q.columns >= 0, "rows and columns must not be negative", q.rows < 0 ? q.rows : q.columns);
  c.require(q.from_pitch >= q.columns && q.to_pitch >= q.columns, "pitches must not be less than columns",
            q.from_pitch < q.columns ? q.from_pitch : q.to_pitch);
  full_precision(c, q.from_dtype);
  full_precision(c, q.to_dtype);
  c.elements({q.rows, q.from_pitch}, "from");
  c.elements({q.rows, q.to_pitch}, "to");
  if (q.rows == 0 || q.columns == 0) return;
  c.pointer(q.from, bytes_of(q.from_dtype), "from");
  c.pointer(q.to, bytes_of(q.to_dtype), "to");
}

void check(Checker& c, const kfac_damp_request& q) {
  matrix(c, q.n, q.count, "matrix");
  full_precision(c, q.dtype);
  if (q.count == 0) return;
  c.pointer(q.matrix, 4, "matrix");
  c.pointer(q.damped, bytes_of(q.dtype), "damped");
  c.pointer(q.status, 4, "status");
  if (q.dampings) c.pointer(q.dampings, 4, "dampings");
}

void check(Checker& c, const kfac_mirror_request& q) {
  matrix(c, q.n, q.count, "lower");
  full_precision(c, q.dtype);
  if (q.count == 0) return;
  c.pointer(q.lower, bytes_of(q.dtype), "lower");
  c.pointer(q.inverse, 4, "inverse");
  c.pointer(q.status, 4, "status");
  c.pointer(q.pivots, 4, "pivots");
}

void check(Checker& c, const kfac_precondition_request& q) {
  c.require(q.groups >= 1, "groups must be at least 1", q.groups);
  c.require(q.in >= 1, "in must be at least 1", q.in);
  c.require(q.out >= 1, "out must be at least 1", q.out);
  c.require(q.out % (q.groups > 0 ? q.groups : 1) == 0, "out must be a multiple of groups", q.out);
  c.pointer(q.g_inverse, 4, "g_inverse");
  c.pointer(q.a_inverse, 4, "a_inverse");
  c.pointer(q.weight_gradient, 4, "weight_gradient");
  c.pointer(q.weight_result, 4, "weight_result");
  c.pointer(q.inner, 8, "inner");
  if (q.bias_gradient || q.bias_result) {
    c.pointer(q.bias_gradient, 4, "bias_gradient");
    c.pointer(q.bias_result, 4, "bias_result");
  }
  if (q.g_norms || q.a_norms || q.norms) {
    c.pointer(q.g_norms, 8, "g_norms");
    c.pointer(q.a_norms, 8, "a_norms");
    c.pointer(q.norms, 8, "norms");
  }
  if (q.in >= LARGEST_MATRIX) c.fail(KFAC_TOO_LARGE, "in is limited to 2^20", q.in);
  if (q.out > LARGEST_MATRIX) c.fail(KFAC_TOO_LARGE, "out is limited to 2^20", q.out);
}

void check(Checker& c, const kfac_divide_request& q) {
  c.require(q.size >= 0, "size must not be negative", q.size);
  c.elements({q.size}, "x");
  c.pointer(q.inner, 8, "inner");
  full_precision(c, q.dtype);
  if (q.size == 0) return;
  c.pointer(q.moments, bytes_of(q.dtype), "moments");
  c.pointer(q.x, 8, "x");
}

void check(Checker& c, const kfac_squares_request& q) {
  c.require(q.size >= 0, "size must not be negative", q.size);
  c.require(q.terms >= 0, "terms must not be negative", q.terms);
  c.elements({q.terms, q.size}, "x");
  c.elements({q.size}, "y");
  if (q.size == 0) return;
  if (q.terms > 0) c.pointer(q.x, 8, "x");
  c.pointer(q.y, 4, "y");
}

void check(Checker& c, const kfac_upload_request& q) {
  c.require(q.bytes >= 0 && q.bytes % 4 == 0, "bytes must be a multiple of 4 that is not negative", q.bytes);
  c.elements({q.bytes}, "to");
  if (q.bytes == 0) return;
  c.pointer(q.values, 1, "values");
  c.pointer(q.to, 4, "to");
}

void check(Checker& c, const kfac_scale_request& q) {
  c.require(q.size >= 0, "size must not be negative", q.size);
  c.elements({q.size}, "x");
  if (q.size == 0) return;
  c.pointer(q.x, 4, "x");
  c.pointer(q.factor, 4, "factor");
}

void check(Checker& c, const kfac_traces_request& q) {
  matrix(c, q.n, q.count, "matrix");
  if (q.count == 0) return;
  c.pointer(q.matrix, 4, "matrix");
  c.pointer(q.traces, 8, "traces");
}

void check(Checker& c, const kfac_squared_norms_request& q) {
  matrix(c, q.n, q.count, "matrix");
  if (q.count == 0) return;
  c.pointer(q.matrix, 4, "matrix");
  c.pointer(q.norms, 8, "norms");
}

void check(Checker& c, const kfac_first_non_finite_request& q) {
  elements_of(c, q.x, q.size, q.dtype);
  c.pointer(q.first, 8, "first");
}

void check(Checker& c, const kfac_largest_request& q) {
  elements_of(c, q.x, q.size, q.dtype);
  c.pointer(q.largest, 4, "largest");
}

}  // namespace kfac
