package io.github.kfac4j.cuda;

import io.github.kfac4j.cuda.EigenJob.Part;
import io.github.kfac4j.cuda.natives.kfac_cuda;
import io.github.kfac4j.cuda.natives.kfac_damp_request;
import io.github.kfac4j.cuda.natives.kfac_eigen_check_request;
import io.github.kfac4j.cuda.natives.kfac_eigen_store_request;
import io.github.kfac4j.cuda.natives.kfac_jacobi_request;
import java.util.List;

/** The kernels of eigendecompositions, each in one call for all matrices. */
final class EigenKernels {
  private final Call call;

  EigenKernels(Call call) {
    this.call = call;
  }

  /** The matrices in fp64, and whether they are finite. */
  void scale(List<Part> parts) {
    int count = parts.size();
    try (kfac_damp_request requests = new kfac_damp_request(count)) {
      for (int i = 0; i < count; i++) {
        Part part = parts.get(i);
        EigenJob job = part.job();
        requests
            .position(i)
            .matrix(job.source().pointer().getPointer((long) part.first() * part.n() * part.n()))
            .damped(Address.pointer(part.matrix(job.matrices())))
            .status(Address.ints(part.code(job.statuses())))
            .dampings(null)
            .scale(job.scale())
            .damping(0)
            .n(part.n())
            .count(part.count())
            .dtype(kfac_cuda.KFAC_F64);
      }
      requests.position(0);
      call.kernels(
          "kfac_damp",
          shapes(parts),
          () -> kfac_cuda.kfac_damp_workspace(requests, count),
          (workspace, size) ->
              kfac_cuda.kfac_damp(requests, count, workspace, size, call.context().stream()));
    }
  }

  void jacobi(List<Part> parts) {
    int count = parts.size();
    try (kfac_jacobi_request requests = new kfac_jacobi_request(count)) {
      for (int i = 0; i < count; i++) {
        Part part = parts.get(i);
        EigenJob job = part.job();
        requests
            .position(i)
            .matrix(Address.doubles(part.matrix(job.matrices())))
            .vectors(Address.doubles(part.matrix(job.vectors())))
            .values(Address.doubles(part.row(job.found())))
            .status(Address.ints(part.code(job.statuses())))
            .infos(Address.ints(part.code(job.infos())))
            .n(part.n())
            .count(part.count());
      }
      requests.position(0);
      call.kernels(
          "kfac_jacobi",
          shapes(parts),
          () -> kfac_cuda.kfac_jacobi_workspace(requests, count),
          (workspace, size) ->
              kfac_cuda.kfac_jacobi(requests, count, workspace, size, call.context().stream()));
    }
  }

  void check(List<Part> parts) {
    int count = parts.size();
    try (kfac_eigen_check_request requests = new kfac_eigen_check_request(count)) {
      for (int i = 0; i < count; i++) {
        Part part = parts.get(i);
        EigenJob job = part.job();
        requests
            .position(i)
            .matrix(Address.doubles(part.matrix(job.matrices())))
            .vectors(Address.doubles(part.matrix(job.vectors())))
            .products(Address.doubles(part.matrix(job.products())))
            .values(Address.doubles(part.row(job.found())))
            .infos(Address.ints(part.code(job.infos())))
            .status(Address.ints(part.code(job.statuses())))
            .largest(job.values().isDouble() ? Double.MAX_VALUE : Float.MAX_VALUE)
            .n(part.n())
            .count(part.count());
      }
      requests.position(0);
      call.kernels(
          "kfac_eigen_check",
          shapes(parts),
          () -> kfac_cuda.kfac_eigen_check_workspace(requests, count),
          (workspace, size) ->
              kfac_cuda.kfac_eigen_check(
                  requests, count, workspace, size, call.context().stream()));
    }
  }

  /** What is good goes to where it belongs. */
  void store(List<EigenJob> jobs) {
    int count = jobs.size();
    try (kfac_eigen_store_request requests = new kfac_eigen_store_request(count)) {
      for (int i = 0; i < count; i++) {
        EigenJob job = jobs.get(i);
        requests
            .position(i)
            .vectors(Address.doubles(job.vectors()))
            .values(Address.doubles(job.found()))
            .status(Address.ints(job.statuses()))
            .columns(Address.pointer(job.columns().address()))
            .rounded(Address.pointer(job.values().address()))
            .n(job.n())
            .count(job.source().count())
            .vectors_dtype(job.columns().dtype())
            .values_dtype(job.values().dtype());
      }
      requests.position(0);
      call.kernels(
          "kfac_eigen_store",
          count + " stacks",
          () -> kfac_cuda.kfac_eigen_store_workspace(requests, count),
          (workspace, size) ->
              kfac_cuda.kfac_eigen_store(
                  requests, count, workspace, size, call.context().stream()));
    }
  }

  private static String shapes(List<Part> parts) {
    return parts.size() == 1 ? parts.get(0).shape() : parts.size() + " stacks";
  }
}
