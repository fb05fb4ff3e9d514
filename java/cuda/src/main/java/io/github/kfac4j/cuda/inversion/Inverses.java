package io.github.kfac4j.cuda.inversion;

import static io.github.kfac4j.cuda.natives.kfac_cuda.KFAC_INVERT_CUSOLVER;
import static org.bytedeco.cuda.global.cudart.cudaMemcpyAsync;
import static org.bytedeco.cuda.global.cudart.cudaMemcpyDeviceToDevice;

import io.github.kfac4j.backend.InverseAccuracy;
import io.github.kfac4j.backend.InvertRequest;
import io.github.kfac4j.backend.Status;
import io.github.kfac4j.cuda.calls.Call;
import io.github.kfac4j.cuda.calls.CudaMatrixStack;
import io.github.kfac4j.cuda.calls.Verb;
import io.github.kfac4j.cuda.context.Address;
import io.github.kfac4j.cuda.context.CudaContext;
import io.github.kfac4j.cuda.context.Readback;
import io.github.kfac4j.cuda.natives.kfac_cuda;
import java.util.ArrayList;
import java.util.List;

/**
 * Damped inverses: all in one call of the kernels, but those that are cuSOLVER's. Each is tested as
 * {@link InverseAccuracy} says; what fails is inverted again in fp64, and what fails the quick test
 * then, too, has the whole one on the host, which is slow and rare. One that is only enqueued is
 * tested all the same, but left as it was where it fails.
 */
public final class Inverses {
  private final boolean cusolver;
  private final CudaContext context;
  private final Call call;
  private final List<InvertRequest> inversions;
  private final int matrices;

  /** An fp64 error, then an integer status, for each matrix. */
  private final long results;

  private final List<InverseJob> jobs = new ArrayList<>();

  private Inverses(List<InvertRequest> inversions, boolean cusolver, long results, Call call) {
    this.cusolver = cusolver;
    this.context = call.context();
    this.call = call;
    this.inversions = inversions;
    this.matrices = matrices(inversions);
    this.results = results;
  }

  private static int matrices(List<InvertRequest> inversions) {
    return inversions.stream().mapToInt(i -> i.source().count()).sum();
  }

  private static long resultBytes(int matrices) {
    return (long) matrices * (Double.BYTES + Integer.BYTES);
  }

  /**
   * Inverts all matrices.
   *
   * @param cusolver by cuSOLVER, else by what the table of sizes names
   */
  public static List<Status[]> run(
      List<InvertRequest> inversions, boolean cusolver, CudaContext context) {
    try (Call call = new Call(context)) {
      long results = call.take(resultBytes(matrices(inversions)));
      return new Inverses(inversions, cusolver, results, call).run();
    }
  }

  /** Inverts all matrices without waiting; what fails the test in fp32 stays as it was. */
  public static Readback<List<Status[]>> enqueue(
      List<InvertRequest> inversions, boolean cusolver, CudaContext context) {
    try (Call call = new Call(context)) {
      int matrices = matrices(inversions);
      long bytes = resultBytes(matrices);
      long results = context.inverseResults().take(bytes);
      Inverses all = new Inverses(inversions, cusolver, results, call);
      all.enqueue();
      all.mirror();
      call.finish();
      List<Integer> counts = inversions.stream().map(i -> i.source().count()).toList();
      return new Readback<>(
          context.inverseResults(), results, bytes, () -> read(results, counts, context));
    }
  }

  private long statuses() {
    return results + (long) matrices * Double.BYTES;
  }

  private void enqueue() {
    int first = 0;
    for (InvertRequest inversion : inversions) {
      CudaMatrixStack source = call.stack(inversion.source());
      int count = source.count();
      long dampings = call.uploadFloats(inversion.damping());
      jobs.add(
          new InverseJob(
              Address.of(source.pointer()),
              call.take((long) source.size() * Float.BYTES),
              Address.of(call.stack(inversion.inverse()).pointer()),
              dampings,
              statuses() + (long) first * Integer.BYTES,
              results + (long) first * Double.BYTES,
              inversion.scale(),
              source.rows(),
              count));
      first += count;
    }
    byKernels(jobs.stream().filter(job -> !byCusolver(job)).toList());
    jobs.stream().filter(this::byCusolver).forEach(job -> CusolverInverses.run(job, false, call));
    test(jobs);
  }

  private List<Status[]> run() {
    enqueue();
    Status[][] known = retry(call.readInts(statuses(), matrices));
    mirror();
    int[] codes = call.readInts(statuses(), matrices);
    call.finish();
    return statuses(codes, known);
  }

  private void mirror() {
    for (InverseJob job : jobs) {
      job.mirror(job.result(), kfac_cuda.KFAC_F32, job.target(), job.statuses(), call);
    }
  }

  private static List<Status[]> read(long results, List<Integer> counts, CudaContext context) {
    int matrices = counts.stream().mapToInt(count -> count).sum();
    try (Call call = new Call(context)) {
      double[] errors = call.readDoubles(results, matrices);
      int[] codes = call.readInts(results + (long) matrices * Double.BYTES, matrices);
      call.finish();
      Status[][] all = new Status[counts.size()][];
      int at = 0;
      for (int i = 0; i < all.length; i++) {
        all[i] = new Status[counts.get(i)];
        for (int k = 0; k < all[i].length; k++, at++) {
          all[i][k] =
              codes[at] == kfac_cuda.KFAC_MATRIX_INACCURATE
                  ? Status.inaccurate(errors[at])
                  : status(codes[at]);
        }
      }
      return List.of(all);
    }
  }

  private boolean byCusolver(InverseJob job) {
    return job.count() > 0
        && (cusolver
            || kfac_cuda.kfac_inversion_by_size(job.n(), job.count()) == KFAC_INVERT_CUSOLVER);
  }

  private void byKernels(List<InverseJob> some) {
    call.run(
        Verb.INVERT,
        shapes(some),
        some.size(),
        (request, i) -> {
          InverseJob job = some.get(i);
          request
              .matrix(Address.floats(job.source()))
              .inverse(Address.floats(job.result()))
              .status(Address.ints(job.statuses()))
              .dampings(Address.floats(job.dampings()))
              .scale((float) job.scale())
              .damping(0)
              .n(job.n())
              .count(job.count())
              .algorithm(kfac_cuda.KFAC_INVERT_BY_SIZE);
        });
  }

  private void test(List<InverseJob> some) {
    call.run(
        Verb.INVERSE_ERROR,
        shapes(some),
        some.size(),
        (request, i) -> {
          InverseJob job = some.get(i);
          request
              .matrix(Address.floats(job.source()))
              .inverse(Address.floats(job.result()))
              .errors(Address.doubles(job.errors()))
              .status(Address.ints(job.statuses()))
              .dampings(Address.floats(job.dampings()))
              .scale((float) job.scale())
              .damping(0)
              .bound(InverseAccuracy.BOUND)
              .n(job.n())
              .count(job.count());
        });
  }

  private static String shapes(List<InverseJob> some) {
    return some.stream().map(InverseJob::shape).toList().toString();
  }

  /** Tries in fp64 what failed; returns what the host found out, null for the rest. */
  private Status[][] retry(int[] codes) {
    Status[][] known = new Status[jobs.size()][];
    int at = 0;
    for (int i = 0; i < known.length; i++) {
      known[i] = new Status[jobs.get(i).count()];
      for (int k = 0; k < known[i].length; k++) {
        int code = codes[at++];
        if (code == kfac_cuda.KFAC_MATRIX_INACCURATE || code > 0) {
          InverseJob job = jobs.get(i).one(k);
          CusolverInverses.run(job, true, call);
          test(List.of(job));
          if (call.readInts(job.statuses(), 1)[0] == kfac_cuda.KFAC_MATRIX_INACCURATE) {
            known[i][k] = testOnHost(job, inversions.get(i).damping()[k]);
          }
        }
      }
    }
    return known;
  }

  /** The inverse is written whatever comes out, as it is for {@link Status.Kind#INACCURATE}. */
  private Status testOnHost(InverseJob job, double damping) {
    int n = job.n();
    double[] source = new double[n * n];
    double[] inverse = new double[n * n];
    context.staging().downloadFloats(job.source(), source);
    context.staging().downloadFloats(job.result(), inverse);
    long bytes = (long) n * n * Float.BYTES;
    context
        .check()
        .runtime(
            cudaMemcpyAsync(
                Address.pointer(job.target()),
                Address.pointer(job.result()),
                bytes,
                cudaMemcpyDeviceToDevice,
                context.stream()),
            "cudaMemcpyAsync",
            bytes + " bytes");
    return InverseAccuracy.test(source, 0, n, job.scale(), damping, inverse);
  }

  private static List<Status[]> statuses(int[] codes, Status[][] known) {
    int at = 0;
    for (Status[] some : known) {
      for (int k = 0; k < some.length; k++) {
        some[k] = some[k] != null ? some[k] : status(codes[at]);
        at++;
      }
    }
    return List.of(known);
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
