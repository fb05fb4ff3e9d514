package io.github.kfac4j.cuda;

import io.github.kfac4j.backend.Inversion;
import io.github.kfac4j.backend.Status;
import io.github.kfac4j.cuda.natives.kfac_cuda;
import io.github.kfac4j.cuda.natives.kfac_invert_request;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Damped inverses, all in one call of the kernels. */
final class Inverses {
  private Inverses() {}

  static List<Status[]> run(List<Inversion> inversions, CudaContext context) {
    int count = inversions.size();
    int matrices = inversions.stream().mapToInt(i -> i.source().count()).sum();
    try (Call call = new Call(context);
        kfac_invert_request requests = new kfac_invert_request(count)) {
      long statuses = call.take((long) matrices * Integer.BYTES);
      int first = 0;
      for (int i = 0; i < count; i++) {
        Inversion inversion = inversions.get(i);
        CudaMatrixStack source = call.stack(inversion.source());
        long dampings = call.take((long) source.count() * Float.BYTES);
        context.staging().upload(inversion.damping(), dampings);
        requests
            .position(i)
            .matrix(source.pointer())
            .inverse(call.stack(inversion.inverse()).pointer())
            .status(Address.ints(statuses + (long) first * Integer.BYTES))
            .dampings(Address.floats(dampings))
            .scale((float) inversion.scale())
            .damping(0)
            .n(source.rows())
            .count(source.count())
            .algorithm(kfac_cuda.KFAC_INVERT_BY_SIZE);
        first += source.count();
      }
      requests.position(0);
      call.kernels(
          "kfac_invert",
          matrices + " matrices in " + count + " stacks",
          () -> kfac_cuda.kfac_invert_workspace(requests, count, CudaBackend.MATH),
          (workspace, bytes) ->
              kfac_cuda.kfac_invert(
                  requests, count, CudaBackend.MATH, workspace, bytes, context.stream()));
      int[] codes = call.readInts(statuses, matrices);
      call.finish();
      return statuses(inversions, codes);
    }
  }

  private static List<Status[]> statuses(List<Inversion> inversions, int[] codes) {
    List<Status[]> all = new ArrayList<>();
    int first = 0;
    for (Inversion inversion : inversions) {
      int count = inversion.source().count();
      all.add(
          Arrays.stream(codes, first, first + count)
              .mapToObj(Inverses::status)
              .toArray(Status[]::new));
      first += count;
    }
    return all;
  }

  /** The kernels count pivots from 1. */
  private static Status status(int code) {
    return switch (code) {
      case kfac_cuda.KFAC_MATRIX_OK -> Status.OK;
      case kfac_cuda.KFAC_MATRIX_NOT_FINITE -> Status.NOT_FINITE;
      default -> Status.notPositiveDefinite(code - 1);
    };
  }
}
