package io.github.kfac4j.cuda.inversion;

import io.github.kfac4j.cuda.calls.Call;
import io.github.kfac4j.cuda.calls.Verb;
import io.github.kfac4j.cuda.context.Address;

/**
 * Matrices to invert, where they lie on the device.
 *
 * @param source {@code [count, n, n]}
 * @param result {@code [count, n, n]}, for inverses that have not been tested yet
 * @param target {@code [count, n, n]}, for those that are good
 * @param dampings one fp32 number a matrix
 * @param statuses one kfac_matrix_status a matrix
 * @param errors one fp64 number a matrix
 */
record InverseJob(
    long source,
    long result,
    long target,
    long dampings,
    long statuses,
    long errors,
    double scale,
    int n,
    int count) {

  /** Matrix {@code k} alone. */
  InverseJob one(int k) {
    long matrix = (long) k * n * n * Float.BYTES;
    return new InverseJob(
        source + matrix,
        result + matrix,
        target + matrix,
        dampings + (long) k * Float.BYTES,
        statuses + (long) k * Integer.BYTES,
        errors + (long) k * Double.BYTES,
        scale,
        n,
        1);
  }

  String shape() {
    return "%d x %d x %d".formatted(count, n, n);
  }

  /** Copies lower triangles to both sides where {@code statuses} and {@code pivots} are 0. */
  void mirror(long lower, int dtype, long to, long pivots, Call call) {
    call.run(
        Verb.MIRROR,
        shape(),
        1,
        (request, i) ->
            request
                .lower(Address.pointer(lower))
                .inverse(Address.floats(to))
                .status(Address.ints(statuses))
                .pivots(Address.ints(pivots))
                .n(n)
                .count(count)
                .dtype(dtype));
  }
}
