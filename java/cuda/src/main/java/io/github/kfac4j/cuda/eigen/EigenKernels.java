package io.github.kfac4j.cuda.eigen;

import io.github.kfac4j.cuda.calls.Call;
import io.github.kfac4j.cuda.calls.Verb;
import io.github.kfac4j.cuda.context.Address;
import io.github.kfac4j.cuda.eigen.EigenJob.Part;
import io.github.kfac4j.cuda.natives.kfac_cuda;
import java.util.List;
import java.util.function.BiConsumer;
import org.bytedeco.javacpp.Pointer;

/** The kernels of eigendecompositions, each in one call for all matrices. */
final class EigenKernels {
  private final Call call;

  EigenKernels(Call call) {
    this.call = call;
  }

  private <R extends Pointer> void run(
      Verb<R> verb, List<Part> parts, BiConsumer<R, Part> describe) {
    String shapes = parts.size() == 1 ? parts.get(0).shape() : parts.size() + " stacks";
    call.run(verb, shapes, parts.size(), (request, i) -> describe.accept(request, parts.get(i)));
  }

  /** The matrices in fp64, and whether they are finite. */
  void scale(List<Part> parts) {
    run(
        Verb.DAMP,
        parts,
        (request, part) -> {
          EigenJob job = part.job();
          request
              .matrix(job.source().pointer().getPointer((long) part.first() * part.n() * part.n()))
              .damped(Address.pointer(part.matrix(job.matrices())))
              .status(Address.ints(part.code(job.statuses())))
              .dampings(null)
              .scale(job.scale())
              .damping(0)
              .n(part.n())
              .count(part.count())
              .dtype(kfac_cuda.KFAC_F64);
        });
  }

  void jacobi(List<Part> parts) {
    run(
        Verb.JACOBI,
        parts,
        (request, part) -> {
          EigenJob job = part.job();
          request
              .matrix(Address.doubles(part.matrix(job.matrices())))
              .vectors(Address.doubles(part.matrix(job.vectors())))
              .values(Address.doubles(part.row(job.found())))
              .status(Address.ints(part.code(job.statuses())))
              .infos(Address.ints(part.code(job.infos())))
              .n(part.n())
              .count(part.count());
        });
  }

  void check(List<Part> parts) {
    run(
        Verb.EIGEN_CHECK,
        parts,
        (request, part) -> {
          EigenJob job = part.job();
          request
              .matrix(Address.doubles(part.matrix(job.matrices())))
              .vectors(Address.doubles(part.matrix(job.vectors())))
              .products(Address.doubles(part.matrix(job.products())))
              .values(Address.doubles(part.row(job.found())))
              .infos(Address.ints(part.code(job.infos())))
              .status(Address.ints(part.code(job.statuses())))
              .largest(job.values().isDouble() ? Double.MAX_VALUE : Float.MAX_VALUE)
              .n(part.n())
              .count(part.count());
        });
  }

  /** What is good goes to where it belongs. */
  void store(List<EigenJob> jobs) {
    call.run(
        Verb.EIGEN_STORE,
        jobs.size() + " stacks",
        jobs.size(),
        (request, i) -> {
          EigenJob job = jobs.get(i);
          request
              .vectors(Address.doubles(job.vectors()))
              .values(Address.doubles(job.found()))
              .status(Address.ints(job.statuses()))
              .columns(Address.pointer(job.columns().address()))
              .rounded(Address.pointer(job.values().address()))
              .n(job.n())
              .count(job.source().count())
              .vectors_dtype(job.columns().dtype())
              .values_dtype(job.values().dtype());
        });
  }
}
