package io.github.kfac4j.cuda;

import static io.github.kfac4j.cuda.natives.kfac_cuda.KFAC_INVERT_CUSOLVER;

import io.github.kfac4j.backend.Inversion;
import io.github.kfac4j.backend.Status;
import io.github.kfac4j.cuda.natives.kfac_cuda;
import io.github.kfac4j.cuda.natives.kfac_invert_request;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Damped inverses: all in one call of the kernels, but those that are cuSOLVER's. */
final class Inverses {
  private final boolean cusolver;
  private final CudaContext context;
  private final Call call;

  private Inverses(boolean cusolver, CudaContext context, Call call) {
    this.cusolver = cusolver;
    this.context = context;
    this.call = call;
  }

  /**
   * Inverts all matrices.
   *
   * @param cusolver by cuSOLVER, else by what the table of sizes names
   */
  static List<Status[]> run(List<Inversion> inversions, boolean cusolver, CudaContext context) {
    try (Call call = new Call(context)) {
      return new Inverses(cusolver, context, call).run(inversions);
    }
  }

  private List<Status[]> run(List<Inversion> inversions) {
    int matrices = inversions.stream().mapToInt(i -> i.source().count()).sum();
    long statuses = call.take((long) matrices * Integer.BYTES);
    long[] places = new long[inversions.size()];
    long[] dampings = new long[inversions.size()];
    List<Integer> ours = new ArrayList<>();
    int first = 0;
    for (int i = 0; i < places.length; i++) {
      Inversion inversion = inversions.get(i);
      int count = inversion.source().count();
      places[i] = statuses + (long) first * Integer.BYTES;
      dampings[i] = call.take((long) count * Float.BYTES);
      context.staging().uploadFloats(inversion.damping(), dampings[i]);
      first += count;
      if (!byCusolver(inversion)) {
        ours.add(i);
      }
    }
    byKernels(inversions, ours, dampings, places);
    for (int i = 0; i < places.length; i++) {
      if (byCusolver(inversions.get(i))) {
        CusolverInverses.run(inversions.get(i), dampings[i], places[i], call);
      }
    }
    int[] codes = call.readInts(statuses, matrices);
    call.finish();
    return statuses(inversions, codes);
  }

  private boolean byCusolver(Inversion inversion) {
    int n = inversion.source().rows();
    int count = inversion.source().count();
    return count > 0
        && (cusolver || kfac_cuda.kfac_inversion_by_size(n, count) == KFAC_INVERT_CUSOLVER);
  }

  private void byKernels(
      List<Inversion> inversions, List<Integer> which, long[] dampings, long[] statuses) {
    int count = which.size();
    try (kfac_invert_request requests = new kfac_invert_request(Math.max(1, count))) {
      int matrices = 0;
      for (int k = 0; k < count; k++) {
        int i = which.get(k);
        Inversion inversion = inversions.get(i);
        CudaMatrixStack source = call.stack(inversion.source());
        requests
            .position(k)
            .matrix(source.pointer())
            .inverse(call.stack(inversion.inverse()).pointer())
            .status(Address.ints(statuses[i]))
            .dampings(Address.floats(dampings[i]))
            .scale((float) inversion.scale())
            .damping(0)
            .n(source.rows())
            .count(source.count())
            .algorithm(kfac_cuda.KFAC_INVERT_BY_SIZE);
        matrices += source.count();
      }
      requests.position(0);
      call.kernels(
          "kfac_invert",
          matrices + " matrices in " + count + " stacks",
          () -> kfac_cuda.kfac_invert_workspace(requests, count, CudaBackend.MATH),
          (workspace, bytes) ->
              kfac_cuda.kfac_invert(
                  requests, count, CudaBackend.MATH, workspace, bytes, context.stream()));
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
