package io.github.kfac4j.testkit.checks;

import io.github.kfac4j.backend.AccumulateRequest;
import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.BasisAccumulateRequest;
import io.github.kfac4j.backend.BasisPreconditionRequest;
import io.github.kfac4j.backend.DecomposeRequest;
import io.github.kfac4j.backend.Gradient;
import io.github.kfac4j.backend.InvertRequest;
import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.backend.PreconditionRequest;
import io.github.kfac4j.backend.Status;
import io.github.kfac4j.reference.JavaBackend;
import io.github.kfac4j.samples.PatchSamples;
import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.tensor.Tensor;
import java.util.Arrays;
import java.util.List;

/** The reference backend with one fault, just large enough to matter. */
final class BrokenBackend implements Backend {
  /** What is wrong with it. */
  enum Fault {
    NONE,
    PATCHES,
    MOMENT,
    BASIS_MOMENT,
    TRACE,
    FINITE,
    LARGEST,
    SCALE,
    INVERSE,
    INVERSE_STATUS,
    OLD_INVERSE_LOST,
    SOURCE_CHANGED,
    EIGENVALUE,
    EIGENVECTOR,
    STEP,
    BIAS_STEP,
    INNER_PRODUCT,
    BASIS_STEP,
    NOT_A_NUMBER,
    EXCEPTION
  }

  private final Backend java = new JavaBackend();
  private final Fault fault;

  BrokenBackend(Fault fault) {
    this.fault = fault;
  }

  /** Changes the last element by a part of the largest. */
  private void nudge(Fault when, MatrixStack stack, double part) {
    if (fault == when) {
      double[] all = stack.toArray();
      double largest = Arrays.stream(all).map(Math::abs).max().orElseThrow();
      all[all.length - 1] += part * largest;
      stack.set(all);
    }
  }

  private void nudge(Fault when, Tensor tensor, double part) {
    if (fault == when && tensor != null) {
      HostTensor host = (HostTensor) tensor;
      double[] all = host.toArray();
      all[all.length - 1] += part * (Math.abs(all[all.length - 1]) + 1);
      host.write(0, all, 0, all.length);
    }
  }

  @Override
  public String name() {
    return "broken";
  }

  @Override
  public MatrixStack allocate(int count, int rows, int cols) {
    return java.allocate(count, rows, cols);
  }

  @Override
  public long[] firstNonFinite(List<? extends Tensor> tensors) {
    long[] first = java.firstNonFinite(tensors);
    if (fault == Fault.FINITE && first.length > 1) {
      first[1]--;
    }
    return first;
  }

  @Override
  public double[] largest(List<? extends Tensor> tensors) {
    double[] largest = java.largest(tensors);
    if (fault == Fault.LARGEST && largest.length > 0) {
      largest[0] = Math.nextUp((float) largest[0]);
    }
    return largest;
  }

  @Override
  public void patches(PatchSamples samples, MatrixStack target) {
    java.patches(samples, target);
    nudge(Fault.PATCHES, target, 1e-7);
  }

  @Override
  public void accumulate(List<AccumulateRequest> moments) {
    java.accumulate(moments);
    if (fault == Fault.EXCEPTION) {
      throw new IllegalStateException("out of order");
    }
    if (moments.isEmpty()) {
      return;
    }
    nudge(Fault.MOMENT, moments.get(moments.size() - 1).target(), 1e-5);
    if (fault == Fault.NOT_A_NUMBER) {
      nudge(fault, moments.get(0).target(), Double.NaN);
    }
  }

  @Override
  public void accumulateInBasis(List<BasisAccumulateRequest> moments) {
    java.accumulateInBasis(moments);
    if (moments.isEmpty()) {
      return;
    }
    nudge(Fault.BASIS_MOMENT, moments.get(0).target(), 3e-5);
  }

  @Override
  public List<double[]> traces(List<MatrixStack> stacks) {
    List<double[]> traces = java.traces(stacks);
    if (fault == Fault.TRACE && !traces.isEmpty()) {
      traces.get(0)[2] = (float) traces.get(0)[2];
    }
    return traces;
  }

  @Override
  public List<Status[]> invert(List<InvertRequest> inversions) {
    List<Status[]> statuses = java.invert(inversions);
    if (inversions.isEmpty()) {
      return statuses;
    }
    InvertRequest first = inversions.get(0);
    nudge(Fault.INVERSE, first.inverse(), 1e-4);
    nudge(Fault.SOURCE_CHANGED, first.source(), 1e-7);
    Status[] ofFirst = statuses.get(0);
    boolean failed = !ofFirst[0].ok();
    if (fault == Fault.INVERSE_STATUS && failed) {
      ofFirst[0] = Status.notPositiveDefinite(ofFirst[0].pivot() + 1);
    }
    if (fault == Fault.OLD_INVERSE_LOST && failed) {
      double[] all = first.inverse().toArray();
      all[0] = 0;
      first.inverse().set(all);
    }
    return statuses;
  }

  @Override
  public List<Status[]> decompose(List<DecomposeRequest> decompositions) {
    List<Status[]> statuses = java.decompose(decompositions);
    if (decompositions.isEmpty()) {
      return statuses;
    }
    nudge(Fault.EIGENVALUE, decompositions.get(0).values(), 1e-4);
    nudge(Fault.EIGENVECTOR, decompositions.get(0).vectors(), 1e-4);
    return statuses;
  }

  @Override
  public double[] precondition(List<PreconditionRequest> steps) {
    double[] inner = java.precondition(steps);
    if (steps.isEmpty()) {
      return inner;
    }
    Gradient result = steps.get(0).result();
    nudge(Fault.STEP, result.weight(), 1e-3);
    nudge(Fault.BIAS_STEP, result.bias(), 1e-3);
    if (fault == Fault.INNER_PRODUCT) {
      inner[0] *= 1 + 1e-5;
    }
    return inner;
  }

  @Override
  public double[] preconditionInBasis(List<BasisPreconditionRequest> steps) {
    double[] inner = java.preconditionInBasis(steps);
    if (steps.isEmpty()) {
      return inner;
    }
    nudge(Fault.BASIS_STEP, steps.get(0).result().weight(), 1e-3);
    return inner;
  }

  @Override
  public void scale(List<? extends Tensor> tensors, double factor) {
    java.scale(tensors, factor);
    if (!tensors.isEmpty()) {
      nudge(Fault.SCALE, tensors.get(0), 1e-5);
    }
  }

  @Override
  public void close() {
    java.close();
  }
}
