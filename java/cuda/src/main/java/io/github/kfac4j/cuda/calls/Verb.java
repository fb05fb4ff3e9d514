package io.github.kfac4j.cuda.calls;

import io.github.kfac4j.cuda.natives.kfac_accumulate_request;
import io.github.kfac4j.cuda.natives.kfac_convert_request;
import io.github.kfac4j.cuda.natives.kfac_cuda;
import io.github.kfac4j.cuda.natives.kfac_damp_request;
import io.github.kfac4j.cuda.natives.kfac_divide_request;
import io.github.kfac4j.cuda.natives.kfac_eigen_check_request;
import io.github.kfac4j.cuda.natives.kfac_eigen_store_request;
import io.github.kfac4j.cuda.natives.kfac_first_non_finite_request;
import io.github.kfac4j.cuda.natives.kfac_inverse_error_request;
import io.github.kfac4j.cuda.natives.kfac_invert_request;
import io.github.kfac4j.cuda.natives.kfac_jacobi_request;
import io.github.kfac4j.cuda.natives.kfac_largest_request;
import io.github.kfac4j.cuda.natives.kfac_mirror_request;
import io.github.kfac4j.cuda.natives.kfac_patches_request;
import io.github.kfac4j.cuda.natives.kfac_precondition_request;
import io.github.kfac4j.cuda.natives.kfac_scale_request;
import io.github.kfac4j.cuda.natives.kfac_squared_norms_request;
import io.github.kfac4j.cuda.natives.kfac_squares_request;
import io.github.kfac4j.cuda.natives.kfac_traces_request;
import io.github.kfac4j.cuda.natives.kfac_upload_request;
import java.util.function.LongFunction;
import org.bytedeco.cuda.cudart.CUstream_st;
import org.bytedeco.javacpp.Pointer;

/**
 * A verb of libkfac_cuda, which takes an array of requests and as much device memory as it asks
 * for. {@code kfac_cuda.h} says what each does.
 *
 * @param name of the function, for messages
 * @param requests makes an array of them
 * @param workspace asks for the bytes of memory
 * @param launch enqueues it
 * @param <R> its requests
 */
public record Verb<R extends Pointer>(
    String name, LongFunction<R> requests, Workspace<R> workspace, Launch<R> launch) {

  /** Tensor cores with fp32 accuracy; every chip that the library is built for has them. */
  private static final int MATH = kfac_cuda.KFAC_SPLIT_F16;

  public static final Verb<kfac_accumulate_request> ACCUMULATE =
      new Verb<>(
          "kfac_accumulate",
          kfac_accumulate_request::new,
          (requests, count) -> kfac_cuda.kfac_accumulate_workspace(requests, count, MATH),
          (requests, count, memory, bytes, stream) ->
              kfac_cuda.kfac_accumulate(requests, count, MATH, memory, bytes, stream));

  public static final Verb<kfac_invert_request> INVERT =
      new Verb<>(
          "kfac_invert",
          kfac_invert_request::new,
          (requests, count) -> kfac_cuda.kfac_invert_workspace(requests, count, MATH),
          (requests, count, memory, bytes, stream) ->
              kfac_cuda.kfac_invert(requests, count, MATH, memory, bytes, stream));

  public static final Verb<kfac_precondition_request> PRECONDITION =
      new Verb<>(
          "kfac_precondition",
          kfac_precondition_request::new,
          (requests, count) -> kfac_cuda.kfac_precondition_workspace(requests, count, MATH),
          (requests, count, memory, bytes, stream) ->
              kfac_cuda.kfac_precondition(requests, count, MATH, memory, bytes, stream));

  public static final Verb<kfac_patches_request> PATCHES =
      new Verb<>(
          "kfac_patches",
          kfac_patches_request::new,
          kfac_cuda::kfac_patches_workspace,
          kfac_cuda::kfac_patches);

  public static final Verb<kfac_traces_request> TRACES =
      new Verb<>(
          "kfac_traces",
          kfac_traces_request::new,
          kfac_cuda::kfac_traces_workspace,
          kfac_cuda::kfac_traces);

  public static final Verb<kfac_squares_request> SQUARES =
      new Verb<>(
          "kfac_squares",
          kfac_squares_request::new,
          kfac_cuda::kfac_squares_workspace,
          kfac_cuda::kfac_squares);

  public static final Verb<kfac_divide_request> DIVIDE =
      new Verb<>(
          "kfac_divide",
          kfac_divide_request::new,
          kfac_cuda::kfac_divide_workspace,
          kfac_cuda::kfac_divide);

  public static final Verb<kfac_squared_norms_request> SQUARED_NORMS =
      new Verb<>(
          "kfac_squared_norms",
          kfac_squared_norms_request::new,
          kfac_cuda::kfac_squared_norms_workspace,
          kfac_cuda::kfac_squared_norms);

  public static final Verb<kfac_damp_request> DAMP =
      new Verb<>(
          "kfac_damp",
          kfac_damp_request::new,
          kfac_cuda::kfac_damp_workspace,
          kfac_cuda::kfac_damp);

  public static final Verb<kfac_mirror_request> MIRROR =
      new Verb<>(
          "kfac_mirror",
          kfac_mirror_request::new,
          kfac_cuda::kfac_mirror_workspace,
          kfac_cuda::kfac_mirror);

  public static final Verb<kfac_inverse_error_request> INVERSE_ERROR =
      new Verb<>(
          "kfac_inverse_error",
          kfac_inverse_error_request::new,
          kfac_cuda::kfac_inverse_error_workspace,
          kfac_cuda::kfac_inverse_error);

  public static final Verb<kfac_jacobi_request> JACOBI =
      new Verb<>(
          "kfac_jacobi",
          kfac_jacobi_request::new,
          kfac_cuda::kfac_jacobi_workspace,
          kfac_cuda::kfac_jacobi);

  public static final Verb<kfac_eigen_check_request> EIGEN_CHECK =
      new Verb<>(
          "kfac_eigen_check",
          kfac_eigen_check_request::new,
          kfac_cuda::kfac_eigen_check_workspace,
          kfac_cuda::kfac_eigen_check);

  public static final Verb<kfac_eigen_store_request> EIGEN_STORE =
      new Verb<>(
          "kfac_eigen_store",
          kfac_eigen_store_request::new,
          kfac_cuda::kfac_eigen_store_workspace,
          kfac_cuda::kfac_eigen_store);

  public static final Verb<kfac_convert_request> CONVERT =
      new Verb<>(
          "kfac_convert",
          kfac_convert_request::new,
          kfac_cuda::kfac_convert_workspace,
          kfac_cuda::kfac_convert);

  public static final Verb<kfac_upload_request> UPLOAD =
      new Verb<>(
          "kfac_upload",
          kfac_upload_request::new,
          kfac_cuda::kfac_upload_workspace,
          kfac_cuda::kfac_upload);

  public static final Verb<kfac_scale_request> SCALE =
      new Verb<>(
          "kfac_scale",
          kfac_scale_request::new,
          kfac_cuda::kfac_scale_workspace,
          kfac_cuda::kfac_scale);

  public static final Verb<kfac_first_non_finite_request> FIRST_NON_FINITE =
      new Verb<>(
          "kfac_first_non_finite",
          kfac_first_non_finite_request::new,
          kfac_cuda::kfac_first_non_finite_workspace,
          kfac_cuda::kfac_first_non_finite);

  public static final Verb<kfac_largest_request> LARGEST =
      new Verb<>(
          "kfac_largest",
          kfac_largest_request::new,
          kfac_cuda::kfac_largest_workspace,
          kfac_cuda::kfac_largest);

  /** The bytes of device memory that a verb needs, or an error code below 0. */
  @FunctionalInterface
  public interface Workspace<R> {
    long bytes(R requests, int count);
  }

  /** Enqueues a verb; returns an error code, or 0. */
  @FunctionalInterface
  public interface Launch<R> {
    int run(R requests, int count, Pointer memory, long bytes, CUstream_st stream);
  }
}
