package io.github.kfac4j.reference;

import io.github.kfac4j.backend.AccumulateRequest;
import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.BasisAccumulateRequest;
import io.github.kfac4j.backend.BasisPreconditionRequest;
import io.github.kfac4j.backend.DecomposeRequest;
import io.github.kfac4j.backend.HostScan;
import io.github.kfac4j.backend.InverseAccuracy;
import io.github.kfac4j.backend.InvertRequest;
import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.backend.PreconditionRequest;
import io.github.kfac4j.backend.RenewRequest;
import io.github.kfac4j.backend.Renewal;
import io.github.kfac4j.backend.Status;
import io.github.kfac4j.backend.Storage;
import io.github.kfac4j.samples.PatchSamples;
import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.tensor.Tensor;
import java.util.Arrays;
import java.util.List;

/**
 * The pure-Java backend: fp64 throughout, written for clarity first. It needs nothing and is the
 * reference that the other backends are compared with.
 *
 * <p>Products of more than 64 rows and the matrices of a batch are shared among the threads of the
 * common {@link java.util.concurrent.ForkJoinPool}, or of the pool that the caller is a task of: as
 * many threads as there are cores, the caller's among them. The system property {@code
 * java.util.concurrent.ForkJoinPool.common.parallelism} limits those beside the caller's, 0 to
 * none. The bits of the results do not depend on it. In a JVM started with {@code --add-modules
 * jdk.incubator.vector} products use the Vector API; the bits are the same.
 */
public final class JavaBackend implements Backend {
  @Override
  public String name() {
    return "java";
  }

  /** The heap as it may become; what is garbage in it is not known. */
  @Override
  public Storage storage() {
    return new Storage(
        "Java heap",
        Double.BYTES,
        Double.BYTES,
        Integer.MAX_VALUE - 8,
        Runtime.getRuntime().maxMemory(),
        "a larger heap with -Xmx");
  }

  @Override
  public MatrixStack allocate(int count, int rows, int cols) {
    return new JavaMatrixStack(count, rows, cols);
  }

  @Override
  public long[] firstNonFinite(List<? extends Tensor> tensors) {
    return tensors.stream().mapToLong(t -> HostScan.firstNonFinite((HostTensor) t)).toArray();
  }

  @Override
  public double[] largest(List<? extends Tensor> tensors) {
    return tensors.stream().mapToDouble(t -> HostScan.largest((HostTensor) t)).toArray();
  }

  @Override
  public void patches(PatchSamples samples, MatrixStack target) {
    SampleReader reader = new SampleReader(samples);
    JavaMatrixStack out = (JavaMatrixStack) target;
    double[] rows = new double[out.rows() * out.cols()];
    for (int k = 0; k < out.count(); k++) {
      reader.read(k, 0, out.rows(), rows);
      System.arraycopy(rows, 0, out.elements(), out.offset(k), rows.length);
    }
  }

  @Override
  public void accumulate(List<AccumulateRequest> moments) {
    moments.forEach(Accumulation::accumulate);
  }

  @Override
  public void accumulateInBasis(List<BasisAccumulateRequest> moments) {
    moments.forEach(Accumulation::accumulateInBasis);
  }

  @Override
  public List<double[]> traces(List<MatrixStack> stacks) {
    return stacks.stream().map(s -> traces((JavaMatrixStack) s)).toList();
  }

  private static double[] traces(JavaMatrixStack stack) {
    double[] traces = new double[stack.count()];
    Arrays.setAll(traces, k -> trace(stack, k));
    return traces;
  }

  private static double trace(JavaMatrixStack stack, int k) {
    double trace = 0;
    for (int i = 0; i < stack.rows(); i++) {
      trace += stack.elements()[stack.offset(k) + i * (stack.cols() + 1)];
    }
    return trace;
  }

  @Override
  public List<Status[]> invert(List<InvertRequest> inversions) {
    return inversions.stream().map(JavaBackend::invert).toList();
  }

  private static Status[] invert(InvertRequest inversion) {
    JavaMatrixStack source = (JavaMatrixStack) inversion.source();
    JavaMatrixStack inverse = (JavaMatrixStack) inversion.inverse();
    int n = source.rows();
    Status[] statuses = new Status[source.count()];
    Parallel.each(
        statuses.length,
        Math.pow(n, 3),
        k -> {
          Status status =
              Cholesky.invert(
                  source.elements(),
                  source.offset(k),
                  n,
                  inversion.scale(),
                  inversion.damping()[k],
                  inverse.elements(),
                  inverse.offset(k));
          statuses[k] = status.ok() ? tested(inversion, k) : status;
        });
    return statuses;
  }

  private static Status tested(InvertRequest inversion, int k) {
    JavaMatrixStack source = (JavaMatrixStack) inversion.source();
    JavaMatrixStack inverse = (JavaMatrixStack) inversion.inverse();
    int n = source.rows();
    double scale = inversion.scale();
    double damping = inversion.damping()[k];
    double roundoff = InverseAccuracy.roundoff(inverse);
    return InverseAccuracy.certain(
            n, scale * trace(source, k), damping, trace(inverse, k), roundoff)
        ? Status.OK
        : InverseAccuracy.test(
            source.elements(), source.offset(k), n, scale, damping, inverse.elements());
  }

  @Override
  public List<Status[]> decompose(List<DecomposeRequest> decompositions) {
    return decompositions.stream().map(JavaBackend::decompose).toList();
  }

  private static Status[] decompose(DecomposeRequest request) {
    JavaMatrixStack source = (JavaMatrixStack) request.source();
    JavaMatrixStack vectors = (JavaMatrixStack) request.vectors();
    JavaMatrixStack values = (JavaMatrixStack) request.values();
    int n = source.rows();
    Status[] statuses = new Status[source.count()];
    Parallel.each(
        statuses.length,
        9 * Math.pow(n, 3),
        k ->
            statuses[k] =
                SymmetricEigen.decompose(
                    source.elements(),
                    source.offset(k),
                    n,
                    request.scale(),
                    vectors.elements(),
                    vectors.offset(k),
                    values.elements(),
                    values.offset(k)));
    return statuses;
  }

  @Override
  public List<Renewal[]> renew(List<RenewRequest> renewals) {
    return renewals.stream().map(JavaBackend::renew).toList();
  }

  private static Renewal[] renew(RenewRequest request) {
    BasisRenewal[] all = new BasisRenewal[request.source().count()];
    Arrays.setAll(all, k -> new BasisRenewal(request, k));
    boolean accepted = true;
    for (BasisRenewal one : all) {
      accepted &= one.find();
    }
    Renewal[] results = new Renewal[all.length];
    for (int k = 0; k < all.length; k++) {
      results[k] = accepted ? all[k].accept() : all[k].refused();
    }
    return results;
  }

  @Override
  public double[] precondition(List<PreconditionRequest> steps) {
    return steps.stream().mapToDouble(Preconditioning::apply).toArray();
  }

  @Override
  public double[] preconditionInBasis(List<BasisPreconditionRequest> steps) {
    return steps.stream().mapToDouble(Preconditioning::apply).toArray();
  }

  @Override
  public void scale(List<? extends Tensor> tensors, double factor) {
    for (Tensor tensor : tensors) {
      HostTensor host = (HostTensor) tensor;
      double[] all = host.toArray();
      for (int i = 0; i < all.length; i++) {
        all[i] *= factor;
      }
      host.write(0, all, 0, all.length);
    }
  }

  @Override
  public void close() {}
}
