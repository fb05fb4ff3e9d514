package io.github.kfac4j.cpu;

import io.github.kfac4j.backend.AccumulateRequest;
import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.BackendUnavailableException;
import io.github.kfac4j.backend.BasisAccumulateRequest;
import io.github.kfac4j.backend.BasisPreconditionRequest;
import io.github.kfac4j.backend.DecomposeRequest;
import io.github.kfac4j.backend.InvertRequest;
import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.backend.OneThread;
import io.github.kfac4j.backend.PreconditionRequest;
import io.github.kfac4j.backend.RenewRequest;
import io.github.kfac4j.backend.Renewal;
import io.github.kfac4j.backend.Status;
import io.github.kfac4j.backend.Storage;
import io.github.kfac4j.cpu.accumulation.Accumulation;
import io.github.kfac4j.cpu.accumulation.BasisAccumulation;
import io.github.kfac4j.cpu.accumulation.PatchesPlan;
import io.github.kfac4j.cpu.elementwise.FirstNonFinite;
import io.github.kfac4j.cpu.elementwise.Largest;
import io.github.kfac4j.cpu.elementwise.Scaling;
import io.github.kfac4j.cpu.inversion.BasisRenewal;
import io.github.kfac4j.cpu.inversion.Eigen;
import io.github.kfac4j.cpu.inversion.InversionPlans;
import io.github.kfac4j.cpu.inversion.TestedInverses;
import io.github.kfac4j.cpu.matrix.CpuMatrixStack;
import io.github.kfac4j.cpu.memory.Arena;
import io.github.kfac4j.cpu.memory.Floats;
import io.github.kfac4j.cpu.natives.KfacCpuLibrary;
import io.github.kfac4j.cpu.openblas.OpenBlas;
import io.github.kfac4j.cpu.preconditioning.BasisPlan;
import io.github.kfac4j.cpu.preconditioning.InverseNorms;
import io.github.kfac4j.cpu.preconditioning.KroneckerPlan;
import io.github.kfac4j.cpu.preconditioning.KroneckerStep;
import io.github.kfac4j.cpu.preconditioning.PanelKroneckerPlan;
import io.github.kfac4j.cpu.scheduling.Plan;
import io.github.kfac4j.cpu.scheduling.Pool;
import io.github.kfac4j.samples.PatchSamples;
import io.github.kfac4j.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.bytedeco.javacpp.Pointer;

/**
 * The CPU backend: fp32, and fp64 where digits would be lost, on OpenBLAS and, where it can be
 * loaded, libkfac_cpu. Tensors in direct buffers of native byte order are used where they are;
 * others are converted through scratch memory. All verbs share one pool of threads, each of which
 * calls a serial BLAS; results do not depend on the number of threads. Scratch memory is kept
 * between calls until {@link #close()}: a step like those before allocates nothing outside the
 * heap, and on the heap only the objects that describe its requests, a few KiB for each layer
 * whatever its size and that of the batch; those of the verbs in a basis, and of OpenBLAS alone,
 * grow with the batch.
 */
public final class CpuBackend implements Backend {
  private final Pool pool;

  /** Whether libkfac_cpu serves, where it is faster than OpenBLAS. */
  private final boolean own;

  private final Arena shared = new Arena();
  private final OneThread guard = new OneThread("the cpu backend");
  private boolean closed;

  /**
   * Opens the backend.
   *
   * @param threads how many threads it uses beside the caller's, which waits
   * @throws BackendUnavailableException if OpenBLAS cannot be loaded
   */
  public CpuBackend(int threads) {
    this(threads, KfacCpuLibrary.isAvailable());
  }

  /** Opens the backend with or without libkfac_cpu. */
  CpuBackend(int threads, boolean own) {
    if (threads < 1) {
      throw new IllegalArgumentException("threads must be positive but are " + threads);
    }
    String failure = OpenBlas.failure();
    if (failure != null) {
      throw new BackendUnavailableException("cpu", failure);
    }
    this.pool = new Pool(threads, OpenBlas::serially);
    this.own = own;
  }

  @Override
  public String name() {
    return "cpu";
  }

  /** What JavaCPP may still allocate; there may be less in the machine. */
  @Override
  public Storage storage() {
    long all = Pointer.maxBytes() > 0 ? Pointer.maxBytes() - Pointer.totalBytes() : Long.MAX_VALUE;
    return new Storage(
        "native memory",
        Float.BYTES,
        2 * Float.BYTES,
        Floats.LARGEST,
        all,
        "more with -Dorg.bytedeco.javacpp.maxbytes");
  }

  @Override
  public <T> T inTurn(Supplier<T> calls) {
    return guard.call(calls);
  }

  @Override
  public MatrixStack allocate(int count, int rows, int cols) {
    return new CpuMatrixStack(count, rows, cols, false, guard);
  }

  @Override
  public MatrixStack allocateBasis(int count, int rows, int cols) {
    return new CpuMatrixStack(count, rows, cols, true, guard);
  }

  @Override
  public long[] firstNonFinite(List<? extends Tensor> tensors) {
    return guard.call(
        () -> {
          List<FirstNonFinite> plans = tensors.stream().map(FirstNonFinite::new).toList();
          run(plans);
          return plans.stream().mapToLong(FirstNonFinite::index).toArray();
        });
  }

  @Override
  public double[] largest(List<? extends Tensor> tensors) {
    return guard.call(
        () -> {
          List<Largest> plans = tensors.stream().map(Largest::new).toList();
          run(plans);
          return plans.stream().mapToDouble(Largest::value).toArray();
        });
  }

  @Override
  public void scale(List<? extends Tensor> tensors, double factor) {
    guard.run(() -> run(tensors.stream().map(t -> new Scaling(t, factor)).toList()));
  }

  @Override
  public void patches(PatchSamples samples, MatrixStack target) {
    guard.run(() -> run(List.of(new PatchesPlan(samples, changing(target)))));
  }

  @Override
  public void accumulate(List<AccumulateRequest> moments) {
    guard.run(
        () -> {
          moments.forEach(moment -> changing(moment.target()));
          new Accumulation(pool, shared(), own).run(moments);
        });
  }

  @Override
  public void accumulateInBasis(List<BasisAccumulateRequest> moments) {
    guard.run(
        () -> {
          moments.forEach(moment -> changing(moment.target()));
          new BasisAccumulation(pool, shared()).run(moments);
        });
  }

  @Override
  public List<double[]> traces(List<MatrixStack> stacks) {
    return guard.call(() -> stacks.stream().map(s -> CpuMatrixStack.of(s).traces()).toList());
  }

  @Override
  public List<Status[]> invert(List<InvertRequest> inversions) {
    return guard.call(
        () -> {
          inversions.forEach(inversion -> changing(inversion.inverse()));
          try (InversionPlans plans =
              new InversionPlans(inversions, pool.threads(), own, shared())) {
            run(plans.plans());
            List<Status[]> statuses = plans.statuses();
            new TestedInverses(pool, shared).test(inversions, statuses, plans.certain());
            return statuses;
          }
        });
  }

  @Override
  public List<Status[]> decompose(List<DecomposeRequest> decompositions) {
    return guard.call(
        () -> {
          List<Status[]> statuses = new ArrayList<>();
          List<Plan> plans = new ArrayList<>();
          for (DecomposeRequest request : decompositions) {
            changing(request.vectors());
            changing(request.values());
            int n = request.source().rows();
            Status[] status = new Status[request.source().count()];
            statuses.add(status);
            for (int k = 0; k < status.length; k++) {
              int index = k;
              double work = 9 * Math.pow(n, 3);
              plans.add(Plan.of(work, s -> status[index] = Eigen.decompose(request, index, s)));
            }
          }
          run(plans);
          return statuses;
        });
  }

  @Override
  public List<Renewal[]> renew(List<RenewRequest> renewals) {
    return guard.call(
        () -> {
          Arena memory = shared();
          List<List<BasisRenewal>> all = new ArrayList<>();
          for (RenewRequest request : renewals) {
            changing(request.basis().matrices());
            all.add(
                IntStream.range(0, request.source().count())
                    .mapToObj(k -> new BasisRenewal(request, k, memory))
                    .toList());
          }
          run(all.stream().flatMap(List::stream).map(BasisRenewal::find).toList());
          List<Plan> replacements = new ArrayList<>();
          List<Renewal[]> results = new ArrayList<>();
          for (List<BasisRenewal> request : all) {
            boolean accepted = request.stream().allMatch(BasisRenewal::acceptable);
            if (accepted) {
              request.forEach(one -> replacements.add(one.replace()));
            }
            results.add(request.stream().map(one -> one.result(accepted)).toArray(Renewal[]::new));
          }
          run(replacements);
          return results;
        });
  }

  @Override
  public double[] precondition(List<PreconditionRequest> steps) {
    return guard.call(
        () -> {
          Arena memory = shared();
          List<KroneckerStep> all = new ArrayList<>();
          for (PreconditionRequest step : steps) {
            all.add(own ? new PanelKroneckerPlan(step, memory) : new KroneckerPlan(step, memory));
          }
          List<? extends Plan> missing = InverseNorms.missing(steps);
          if (!missing.isEmpty()) {
            run(missing);
          }
          run(all.stream().map(KroneckerStep::forward).toList());
          run(all.stream().filter(KroneckerStep::lossy).map(s -> s.again(memory)).toList());
          run(all.stream().map(KroneckerStep::finish).toList());
          return all.stream().mapToDouble(KroneckerStep::inner).toArray();
        });
  }

  @Override
  public double[] preconditionInBasis(List<BasisPreconditionRequest> steps) {
    return guard.call(
        () -> {
          Arena memory = shared();
          List<BasisPlan> plans = steps.stream().map(s -> new BasisPlan(s, memory)).toList();
          run(plans.stream().map(p -> p.forward()).toList());
          run(plans.stream().filter(BasisPlan::lossy).map(p -> p.again(memory)).toList());
          run(plans.stream().map(BasisPlan::back).toList());
          return plans.stream().mapToDouble(BasisPlan::inner).toArray();
        });
  }

  /** A stack that a verb is about to write. */
  private static CpuMatrixStack changing(MatrixStack stack) {
    CpuMatrixStack own = CpuMatrixStack.of(stack);
    own.changes();
    return own;
  }

  /** The bytes of scratch memory kept for the next call. */
  long scratchBytes() {
    return shared.sizeInBytes() + pool.scratchBytes();
  }

  /** The memory that the plans of one verb share, all of it free. */
  private Arena shared() {
    requireOpen();
    shared.reset();
    return shared;
  }

  private void run(List<? extends Plan> plans) {
    requireOpen();
    pool.run(plans);
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException("the cpu backend is closed");
    }
  }

  @Override
  public void close() {
    guard.run(
        () -> {
          if (!closed) {
            closed = true;
            pool.close();
            shared.close();
          }
        });
  }
}
